import type { Socket } from 'node:net';
import { keepChunk } from '../state/shared-buffer.ts';
import type { Message } from './message.ts';

/** Up to here a copy into one string and one write is cheaper than a vector of buffers (measured). */
const smallBody = 8192;

/** Trailer fields that could change framing, routing or authentication (RFC 9110 section 6.5.1). */
const forbiddenTrailers = new Set(
  (
    'transfer-encoding content-length host trailer te connection keep-alive upgrade expect ' +
    'authorization cookie set-cookie content-encoding content-type content-range cache-control ' +
    'max-forwards range age date expires location retry-after vary warning x-request-id forwarded ' +
    'x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port'
  ).split(' '),
);

/** The trailer section (RFC 9112 section 7.1.2) with the fields that may be merged by a recipient. */
export function trailerText(trailers: readonly string[]): string {
  let text = '';
  for (let i = 0; i + 1 < trailers.length; i += 2) {
    const name = (trailers[i] ?? '').toLowerCase();
    if (forbiddenTrailers.has(name) || name.startsWith('proxy-') || name.includes('_')) continue;
    text += `${trailers[i]}: ${trailers[i + 1]}\r\n`;
  }
  return text;
}

/** Bytes of body in the last chunk of the message. */
export function bodyBytes(message: Message): number {
  let total = 0;
  for (let i = 0; i < 2 * message.bodyCount; i += 2) {
    total += (message.body[i + 1] ?? 0) - (message.body[i] ?? 0);
  }
  return total;
}

/** What ends a chunked message, once its end was parsed. */
function endText(message: Message, chunked: boolean): string {
  return chunked && message.messageDone ? `0\r\n${trailerText(message.trailers)}\r\n` : '';
}

/** A body that was held without framing (latin1), framed, with the end of the message when it is there. */
export function heldText(body: string, message: Message, chunked: boolean): string {
  const framed = chunked && body !== '' ? `${body.length.toString(16)}\r\n${body}\r\n` : body;
  return framed + endText(message, chunked);
}

/** The body of the last chunk as text, re-framed, with the end of the message when it is there. */
export function bodyText(message: Message, chunk: Buffer, chunked: boolean): string {
  const { body, bodyCount } = message;
  let text = '';
  for (let i = 0; i < 2 * bodyCount; i += 2) {
    const from = body[i] ?? 0;
    const to = body[i + 1] ?? 0;
    const piece = chunk.toString('latin1', from, to);
    text += chunked ? `${(to - from).toString(16)}\r\n${piece}\r\n` : piece;
  }
  return text + endText(message, chunked);
}

/**
 * Writes `head` (latin1, may be '') and the body of the last chunk, re-framed: chunks are written
 * anew, so nobody's chunk extensions or spellings travel. Returns what `socket.write` would.
 */
export function writeBody(
  socket: Socket,
  head: string,
  message: Message,
  chunk: Buffer,
  chunked: boolean,
): boolean {
  const { body, bodyCount } = message;
  if (bodyBytes(message) <= smallBody) {
    const text = head + bodyText(message, chunk, chunked);
    return text === '' ? !socket.writableNeedDrain : socket.write(text, 'latin1');
  }
  const end = endText(message, chunked);
  socket.cork();
  let before = head;
  for (let i = 0; i < 2 * bodyCount; i += 2) {
    const from = body[i] ?? 0;
    const to = body[i + 1] ?? 0;
    if (chunked) before += `${(to - from).toString(16)}\r\n`;
    if (before !== '') socket.write(before, 'latin1');
    socket.write(chunk.subarray(from, to));
    before = chunked ? '\r\n' : '';
  }
  if (before + end !== '') socket.write(before + end, 'latin1');
  socket.uncork();
  if (socket.writableLength > 0) keepChunk(chunk);
  return !socket.writableNeedDrain;
}
