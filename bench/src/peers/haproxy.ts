import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findVersion } from '../execute.ts';
import type { Order, Peer } from '../peer.ts';

/** A site's addition goes into the `frontend` section, before the routes. */
export function haproxyConf({ site, port, backendPort }: Order): string {
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
    'frontend edge',
    `  bind 127.0.0.1:${port}`,
    ...(site.addition === undefined ? [] : [site.addition]),
    ...site.routes.map((route) => `  use_backend backend if { path_beg ${route.prefix} }`),
    'backend backend',
    `  server one 127.0.0.1:${backendPort}`,
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
