import type { Order } from '../peer.ts';

const apiVersion = 'apiVersion: gatehouse.dev/v1alpha1';

/** The resources as YAML documents; a site's addition is more of them. */
export function gatehouseResources({ site, backendPort }: Order): string {
  const upstream = [
    apiVersion,
    'kind: Upstream',
    'metadata: { name: backend }',
    `spec: { endpoints: { static: [ { address: 127.0.0.1, port: ${backendPort} } ] } }`,
  ];
  const routes = site.routes.map((route) => [
    apiVersion,
    'kind: Route',
    `metadata: { name: ${route.name} }`,
    'spec:',
    '  rules:',
    '    - name: all',
    `      matches: [ { path: { type: Prefix, value: ${route.prefix} } } ]`,
    '      backends: [ { kind: Upstream, name: backend } ]',
  ]);
  const documents = [upstream, ...routes].map((lines) => lines.join('\n'));
  if (site.addition !== undefined) documents.push(site.addition);
  return `${documents.join('\n---\n')}\n`;
}
