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
  const { body, message } = exchange.head;
  const chunked = body === Body.chunked;
  let held = '';
  let lost = false;

  const take = (source: Message, bytes: Buffer) => {
    if (lost) return;
    held += bodyText(source, bytes, false);
    lost = held.length > bodyLimit;
    if (lost) held = '';
    else if (source.messageDone) {
      for (const mirror of chosen) sendCopy(mirror, { text, chunked, source, body: held });
    }
  };
  take(message, chunk);
  return message.messageDone ? undefined : take;
}

/** A request as it is copied. `source` has ended. */
type Copy = { text: string; chunked: boolean; source: Message; body: string };

function sendCopy({ upstream }: LinkedMirror, { text, chunked, source, body }: Copy) {
  const endpoint = upstream.pick();
  if (!endpoint?.pool.room || upstream.copies >= copiesUnderWay) return;
  upstream.copies++;
  const sentAt = now();
  const stream = endpoint.pool.acquire(sentAt, false);
  const deadline = createDeadline(() => {
    upstream.copies--;
    stream.abort();
  });
  const done = () => {
    upstream.copies--;
    upstream.wheel.remove(deadline);
  };
  const discard: ResponseSink = {
    onInterim: ignore,
    onResponse: ignore,
    onUpstreamWritable: ignore,
    onResponseEnd: done,
    onFailure: done,
    onBug: done,
  };
  upstream.wheel.arm(deadline, sentAt + answerTimeout);
  stream.sendHeld(discard, text, chunked, source, body);
}

function ignore() {
  // The answers of mirrors are thrown away.
}
