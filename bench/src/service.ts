import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Service } from './scenario.ts';

/** 142 bytes, the size that the project's figures have been measured with from the start. */
export const backendBody = JSON.stringify({
  id: 42,
  name: 'Ada Lovelace',
  email: 'ada@ex.org',
  roles: ['admin', 'author'],
  team: { id: 7, name: 'Ops' },
  active: true,
  score: 986,
  tag: 0,
});

/** A message of gRPC: no compression, its length in four bytes, the message. */
export function grpcFrame(message: string): string {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(Buffer.byteLength(message), 1);
  return head.toString('latin1') + message;
}

/** What a service answers. */
export function answerOf(service: Service): string {
  if (service.kind === 'grpc') return grpcFrame('\n\u0005hello');
  return service.kind === 'file' ? '0123456789abcdef'.repeat(service.bytes / 16) : backendBody;
}

/**
 * Locations that answer every path by a file once the whole body of a request is there: `mirror` reads it, and
 * nginx serves files to POST only as its page for the error that this is.
 */
const afterBody = [
  'location / { mirror /taken; mirror_request_body on; try_files /answer =404; error_page 405 =200 /answer; }',
  'location = /answer { }',
  'location = /taken { internal; return 204; }',
];

/** What an nginx that is the service has in its `server` block, and what it wants of its `listen`. */
export function serviceConf(
  { kind }: Service,
  folder: string,
): { lines: string[]; listen: string } {
  const file = [
    `root ${folder};`,
    'open_file_cache max=16 inactive=1h;',
    'open_file_cache_valid 1h;',
    'etag off;',
    'max_ranges 0;',
    'types { }',
  ];
  switch (kind) {
    case 'grpc':
      return {
        // Frames of so few bytes are not worth a sendfile(2) each.
        lines: [...file, 'sendfile off;', 'default_type application/grpc;']
          .concat('add_trailer grpc-status 0;', 'http2_max_concurrent_streams 1024;')
          .concat(afterBody),
        listen: ' http2',
      };
    case 'sink':
      return {
        lines: [...file, 'default_type application/json;', 'client_max_body_size 0;'].concat(
          'client_body_buffer_size 2m;',
          afterBody,
        ),
        listen: '',
      };
    case 'file':
      return {
        lines: [...file, 'default_type text/plain;', 'location / { try_files /answer =404; }'],
        listen: '',
      };
    default:
      return {
        lines: [`location / { default_type application/json; return 200 '${backendBody}'; }`],
        listen: '',
      };
  }
}

/** Writes the file that `serviceConf` answers with. */
export async function writeAnswer(service: Service, folder: string): Promise<void> {
  await writeFile(join(folder, 'answer'), answerOf(service));
}
