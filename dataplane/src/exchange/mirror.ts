import { bodyText } from '../http1/body-text.ts';
import type { Message } from '../http1/message.ts';
import { Body } from '../http1/request-head.ts';
import type { LinkedMirror } from '../link/runtime.ts';
import { now } from '../state/clock.ts';
import { createDeadline } from '../state/timer-wheel.ts';
import type { ResponseSink } from '../upstreams/stream.ts';
import type { Exchange } from './exchange.ts';

/** A request whose body is longer is not mirrored. */
const bodyLimit = 65_536;
/** Milliseconds for the whole answer of a mirror. */
const answerTimeout = 30_000;
/** Copies under way to one upstream, per thread; more are left out. */
const copiesUnderWay = 64;

/**
 * Copies a request to the mirrors of its rule once all of it is there. Returns who is to be told of
 * the rest of the body, or undefined when the request was complete.
 */
export function startMirrors(
  mirrors: readonly LinkedMirror[],
  exchange: Exchange,
  text: string,
  chunk: Buffer,
): ((message: Message, chunk: Buffer) => void) | undefined {
  const chosen = mirrors.filter(({ percent }) => Math.random() * 100 < percent);
  if (chosen.length === 0) return undefined;
  const { method, body, message } = exchange.head;
  const chunked = body === Body.chunked;
  const pieces: string[] = [text];
  let size = 0;

  const take = (source: Message, bytes: Buffer) => {
    if (size > bodyLimit) return;
    const piece = bodyText(source, bytes, chunked);
    size += piece.length;
    if (size > bodyLimit) pieces.length = 0;
    else pieces.push(piece);
    if (size > bodyLimit || !source.messageDone) return;
    const whole = Buffer.from(pieces.join(''), 'latin1');
    for (const mirror of chosen) sendCopy(mirror, whole, method === 'HEAD');
  };
  take(message, chunk);
  return message.messageDone ? undefined : take;
}

function sendCopy(mirror: LinkedMirror, whole: Buffer, head: boolean) {
  const { upstream } = mirror;
  const endpoint = upstream.pick();
  if (!endpoint?.pool.room || upstream.copies >= copiesUnderWay) return;
  upstream.copies++;
  const sentAt = now();
  const connection = endpoint.pool.acquire(sentAt, false);
  const deadline = createDeadline(() => {
    upstream.copies--;
    connection.abort();
  });
  const done = () => {
    upstream.copies--;
    upstream.wheel.remove(deadline);
  };
  const discard: ResponseSink = {
    onInterim: ignore,
    onResponse: ignore,
    keepsChunk: () => false,
    onUpstreamWritable: ignore,
    onResponseEnd: done,
    onFailure: done,
    onBug: done,
  };
  upstream.wheel.arm(deadline, sentAt + answerTimeout);
  connection.sendWhole(discard, whole, head);
}

function ignore() {
  // The answers of mirrors are thrown away.
}
