import type { Terms } from '../scenario.ts';

/** One bucket a client, read every millisecond: what comes faster needs a burst. */
export function nginxLimit({ limit }: Terms): string {
  return [
    `limit_req_zone $binary_remote_addr zone=clients:10m rate=${limit}r/m;`,
    `limit_req zone=clients burst=${limit} nodelay;`,
    'limit_req_status 429;',
  ].join('\n');
}

/** Without it bodies above 1 MiB are refused. */
export const nginxAnyBody = 'client_max_body_size 0;';

/**
 * Bodies go through as they come, as the others let them, rather than by way of files, and there is memory for a whole
 * one of 1 MiB: with its 16 KiB it reads as little at a time, and a quarter of the bodies go through.
 */
export const nginxBodies = [
  nginxAnyBody,
  'proxy_request_buffering off;',
  'client_body_buffer_size 1m;',
  'proxy_buffers 16 32k;',
  'proxy_buffer_size 32k;',
  'proxy_busy_buffers_size 64k;',
  'proxy_max_temp_file_size 0;',
].join('\n');
