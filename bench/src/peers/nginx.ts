import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findVersion } from '../execute.ts';
import { isRoot, nginxArguments, nginxConf } from '../nginx-conf.ts';
import type { Order, Peer, Wire } from '../peer.ts';

/** Both sides of the open WebSockets of a scenario, and some. */
const tunnelConnections = 16_384;

/** How requests go to the backend; nginx speaks HTTP/2 to backends only with grpc_pass. */
function upstreamSettings({ downstream, upstream }: Wire): string[] {
  if (upstream === 'http2') return [];
  const http = ['proxy_http_version 1.1;'];
  if (downstream !== 'websocket') return [...http, 'proxy_set_header Connection "";'];
  // The recipe of its documentation for WebSocket.
  const upgrade = [
    'proxy_set_header Upgrade $http_upgrade;',
    'proxy_set_header Connection upgrade;',
  ];
  return [...http, ...upgrade, 'proxy_read_timeout 1h;', 'proxy_send_timeout 1h;'];
}

/** How clients are listened to. Both versions of TLS are on, and clients take 1.3. */
function listening({ downstream, certificate }: Wire, port: number): string[] {
  const listen = (more: string) => `listen 127.0.0.1:${port}${more} backlog=4096;`;
  if (downstream === 'http2') return [listen(' http2')];
  if (certificate === undefined) return [listen('')];
  return [
    listen(' ssl'),
    'ssl_protocols TLSv1.2 TLSv1.3;',
    `ssl_certificate ${certificate.certificate};`,
    `ssl_certificate_key ${certificate.key};`,
  ];
}

/** A site's addition goes into the `http` block, whose settings the `server` block inherits. */
export function proxyConf({ site, port, backendPort, wire = {} }: Order, asRoot: boolean): string {
  const pass = wire.upstream === 'http2' ? 'grpc_pass grpc' : 'proxy_pass http';
  return nginxConf(
    [
      ...upstreamSettings(wire),
      'upstream backend {',
      `  server 127.0.0.1:${backendPort};`,
      '  keepalive 128;',
      '  keepalive_timeout 1h;',
      '  keepalive_time 24h;',
      '  keepalive_requests 1000000000;',
      '}',
      ...(site.addition === undefined ? [] : [site.addition]),
      'server {',
      ...listening(wire, port).map((line) => `  ${line}`),
      ...site.routes.map((route) => `  location ${route.prefix} { ${pass}://backend; }`),
      '}',
    ],
    asRoot,
    wire.downstream === 'websocket' ? tunnelConnections : undefined,
  );
}

export const nginx: Peer = {
  async find() {
    const version = await findVersion('nginx', ['-v'], /nginx\/(\S+)/);
    if (version !== undefined) return { kind: 'found', program: 'nginx', version };
    return {
      kind: 'absent',
      required: true,
      reason: 'nginx is not installed; install the Debian package nginx',
    };
  },
  async prepare({ program }, order) {
    await writeFile(join(order.folder, 'nginx.conf'), proxyConf(order, isRoot()));
    return { program, args: nginxArguments(order.folder), memory: { kind: 'process' } };
  },
};
