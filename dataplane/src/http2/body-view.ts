import type { Message } from '../http1/message.ts';

/** The body of the last chunk in one piece, for whoever copies it at once. */
export function bodyView({ body, bodyCount }: Message, chunk: Buffer): Buffer {
  if (bodyCount === 0) return empty;
  if (bodyCount === 1) return chunk.subarray(body[0], body[1]);
  const pieces: Buffer[] = [];
  for (let i = 0; i < 2 * bodyCount; i += 2) pieces.push(chunk.subarray(body[i], body[i + 1]));
  return Buffer.concat(pieces);
}

const empty = Buffer.alloc(0);
