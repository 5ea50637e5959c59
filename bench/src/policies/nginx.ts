import type { Terms } from '../scenario.ts';

/** One bucket a client, read every millisecond: what comes faster needs a burst. */
export function nginxLimit({ limit }: Terms): string {
  return [
    `limit_req_zone $binary_remote_addr zone=clients:10m rate=${limit}r/m;`,
    `limit_req zone=clients burst=${limit} nodelay;`,
    'limit_req_status 429;',
  ].join('\n');
}
