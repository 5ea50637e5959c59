import type { Terms } from '../scenario.ts';

/** One bucket a client, read every millisecond: what comes faster needs a burst. */
export function nginxLimit({ limit }: Terms): string {
  return [
    `limit_req_zone $binary_remote_addr zone=clients:10m rate=${limit}r/m;`,
    `limit_req zone=clients burst=${limit} nodelay;`,
    'limit_req_status 429;',
  ].join('\n');
}

/**
 * Bodies go through as they come, as the others let them, rather than by way of files; memory for answers that
 * clients take more slowly than the upstream gives them.
 */
export const nginxBodies = [
  'client_max_body_size 0;',
  'proxy_request_buffering off;',
  'proxy_buffers 16 32k;',
  'proxy_buffer_size 32k;',
  'proxy_busy_buffers_size 64k;',
  'proxy_max_temp_file_size 0;',
].join('\n');
