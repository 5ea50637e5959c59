import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findVersion } from '../execute.ts';
import { isRoot, nginxArguments, nginxConf } from '../nginx-conf.ts';
import type { Order, Peer } from '../peer.ts';

/** A site's addition goes into the `http` block, whose settings the `server` block inherits. */
export function proxyConf({ site, port, backendPort }: Order, asRoot: boolean): string {
  return nginxConf(
    [
      'proxy_http_version 1.1;',
      'proxy_set_header Connection "";',
      'upstream backend {',
      `  server 127.0.0.1:${backendPort};`,
      '  keepalive 128;',
      '  keepalive_timeout 1h;',
      '  keepalive_time 24h;',
      '  keepalive_requests 1000000000;',
      '}',
      ...(site.addition === undefined ? [] : [site.addition]),
      'server {',
      `  listen 127.0.0.1:${port} backlog=4096;`,
      ...site.routes.map((route) => `  location ${route.prefix} { proxy_pass http://backend; }`),
      '}',
    ],
    asRoot,
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
