import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findVersion } from '../execute.ts';
import type { Order, Peer, Wire } from '../peer.ts';

function bindSettings({ downstream, certificate }: Wire): string {
  if (downstream === 'http2') return ' proto h2';
  return certificate === undefined ? '' : ` ssl crt ${certificate.pair} ssl-min-ver TLSv1.2`;
}

/** A site's addition goes into the `frontend` section, before the routes. */
export function haproxyConf({ site, port, backendPort, wire = {} }: Order): string {
  return [
    'global',
    '  nbthread 1',
    '  maxconn 8192',
    'defaults',
    '  mode http',
    '  http-reuse always',
    '  timeout connect 5s',
    '  timeout client 60s',
    '  timeout server 60s',
    '  timeout tunnel 1h',
    'frontend edge',
    `  bind 127.0.0.1:${port}${bindSettings(wire)}`,
    ...(site.addition === undefined ? [] : [site.addition]),
    ...site.routes.map((route) => `  use_backend backend if { path_beg ${route.prefix} }`),
    'backend backend',
    `  server one 127.0.0.1:${backendPort}${wire.upstream === 'http2' ? ' proto h2' : ''}`,
    '',
  ].join('\n');
}

export const haproxy: Peer = {
  async find() {
    const version = await findVersion('haproxy', ['-v'], /version (\S+)/);
    if (version !== undefined) return { kind: 'found', program: 'haproxy', version };
    return {
      kind: 'absent',
      required: false,
      reason: 'haproxy is not installed; install the Debian package haproxy',
    };
  },
  async prepare({ program }, order) {
    const path = join(order.folder, 'haproxy.cfg');
    await writeFile(path, haproxyConf(order));
    return { program, args: ['-db', '-f', path], memory: { kind: 'process' } };
  },
};
