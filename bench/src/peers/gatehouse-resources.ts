import type { Order, Wire } from '../peer.ts';

const apiVersion = 'apiVersion: gatehouse.dev/v1alpha1';

/** Each line of a text, further in. */
function indent(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, '    ');
}

/** With `pair`, the texts of a certificate and its key, there is one listener, which serves HTTPS with it. */
function httpsListener(port: number, pair: { certificate: string; key: string }): string[] {
  return [
    'apiVersion: gateway.networking.k8s.io/v1',
    'kind: Gateway',
    'metadata: { name: edge }',
    'spec:',
    '  gatewayClassName: gatehouse',
    '  listeners:',
    `    - { name: https, port: ${port}, protocol: HTTPS, tls: { certificateRefs: [ { name: edge } ] } }`,
    '---',
    'apiVersion: v1',
    'kind: Secret',
    'metadata: { name: edge }',
    'type: kubernetes.io/tls',
    'stringData:',
    '  tls.crt: |',
    indent(pair.certificate),
    '  tls.key: |',
    indent(pair.key),
  ];
}

function upstreamSpec(backendPort: number, { upstream }: Wire): string {
  const protocol = upstream === 'http2' ? 'protocol: HTTP2, ' : '';
  return `spec: { ${protocol}endpoints: { static: [ { address: 127.0.0.1, port: ${backendPort} } ] } }`;
}

/** The resources as YAML documents; a site's addition is more of them. */
export function gatehouseResources(
  { site, port, backendPort, wire = {} }: Order,
  pair?: { certificate: string; key: string },
): string {
  const upstream = [
    apiVersion,
    'kind: Upstream',
    'metadata: { name: backend }',
    upstreamSpec(backendPort, wire),
  ];
  const routes = site.routes.map((route) => [
    apiVersion,
    'kind: Route',
    `metadata: { name: ${route.name} }`,
    'spec:',
    ...(pair === undefined ? [] : ['  parentRefs: [ { name: edge } ]']),
    '  rules:',
    '    - name: all',
    ...(wire.downstream === 'websocket' ? ['      upgrades: [ websocket ]'] : []),
    `      matches: [ { path: { type: Prefix, value: ${route.prefix} } } ]`,
    '      backends: [ { kind: Upstream, name: backend } ]',
  ]);
  const listeners = pair === undefined ? [] : [httpsListener(port, pair)];
  const documents = [...listeners, upstream, ...routes].map((lines) => lines.join('\n'));
  if (site.addition !== undefined) documents.push(site.addition);
  return `${documents.join('\n---\n')}\n`;
}
