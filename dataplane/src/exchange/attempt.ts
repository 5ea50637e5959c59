import type { Message } from '../http1/message.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import { httpStatusOf, statusIn } from '../http2/grpc-status.ts';
import { now } from '../state/clock.ts';
import { observeLatency } from '../upstreams/balancing/peak-ewma.ts';
import type { UpstreamConnection } from '../upstreams/connection.ts';
import type { Endpoint } from '../upstreams/endpoint.ts';
import { type Outcome, outcomeOf } from '../upstreams/outcome.ts';
import type { Failure, ResponseSink, UpstreamStream } from '../upstreams/stream.ts';
import type { Upstream } from '../upstreams/upstream.ts';

/** Who sends a request, and is told what becomes of an attempt. */
export type Sender = {
  /** What it sends is a call of gRPC. */
  readonly grpc: boolean;
  onInterim(attempt: Attempt): void;
  /** A chunk of the answer was parsed; with `first` the head is in it. */
  onAnswer(attempt: Attempt, chunk: Buffer, first: boolean): void;
  onAnswerEnd(attempt: Attempt): void;
  /** 101 came, and `rest` behind it. False: nobody asked for it. */
  onUpgrade(attempt: Attempt, connection: UpstreamConnection, rest: Buffer): boolean;
  onAttemptFailure(attempt: Attempt, failure: Failure): void;
  onUpstreamWritable(): void;
  onBug(error: unknown): void;
};

/** What a failure counts as, in milliseconds, so that whoever refuses at once is not the fastest. */
const failureLatency = 1000;

/** One try to have a request answered by one endpoint. It counts there from begin to end. */
export class Attempt implements ResponseSink {
  readonly endpoint: Endpoint;
  readonly stream: UpstreamStream;
  readonly startedAt: number;
  readonly #sender: Sender;
  readonly #upstream: Upstream;
  readonly #ticket: number;
  readonly #release: (() => void) | undefined;
  #outcome: Outcome = 'ok';
  #discarded = false;
  #ended = false;
  #settled = false;

  /**
   * @param ticket what the breaker of the upstream gave.
   * @param fresh on a new connection: a kept one may be closed just as it is used.
   * @param release is called when it ends.
   */
  constructor(
    sender: Sender,
    upstream: Upstream,
    endpoint: Endpoint,
    ticket: number,
    at: number,
    fresh: boolean,
    release?: () => void,
  ) {
    this.#release = release;
    this.#sender = sender;
    this.#upstream = upstream;
    this.endpoint = endpoint;
    this.#ticket = ticket;
    this.startedAt = at;
    endpoint.active++;
    this.stream = endpoint.pool.acquire(at, fresh);
  }

  /** Sends the head with what is there of the body. False: wait for `onUpstreamWritable`. */
  send(text: string, chunked: boolean, source: Message, chunk: Buffer): boolean {
    return this.stream.send(this, text, chunked, source, chunk);
  }

  /** Sends the head again with what was held of the body. False as above. */
  sendHeld(text: string, chunked: boolean, source: Message, body: string): boolean {
    return this.stream.sendHeld(this, text, chunked, source, body);
  }

  /** Takes no more of an answer whose head has come, as the request is sent again. */
  discard() {
    this.#discarded = true;
    this.#end(this.#outcome);
    // What is complete leaves its connection to others.
    if (!this.stream.head.message.messageDone) this.stream.abort();
  }

  /** Gives it up, for what that says of the endpoint; nothing more is told. */
  abort(outcome: Outcome) {
    const at = now();
    // Who was too slow has a latency as well.
    if (this.endpoint.timed && at - this.startedAt > this.endpoint.latency) {
      observeLatency(this.endpoint, at - this.startedAt, at);
    }
    this.#end(outcome);
    this.stream.abort();
  }

  onInterim() {
    this.#sender.onInterim(this);
  }

  onUpgrade(connection: UpstreamConnection, rest: Buffer): boolean {
    if (this.#discarded || !this.#sender.onUpgrade(this, connection, rest)) return false;
    this.#onHead(connection.head.status);
    // A tunnel may last for days: that it was opened is all there is to say of the endpoint.
    this.#settle('ok');
    return true;
  }

  /** The tunnel that it became is over. */
  leave() {
    this.#end('ok');
  }

  onResponse(stream: UpstreamStream, chunk: Buffer, first: boolean) {
    if (this.#sender.grpc) this.#onCall(stream.head, first);
    else if (first) this.#onHead(stream.head.status);
    this.#sender.onAnswer(this, chunk, first);
  }

  /** What is to be said of an endpoint that is called by gRPC is in the trailers. */
  #onCall({ status, message }: ResponseHead, first: boolean) {
    if (first && !message.messageDone) {
      this.#onHead(status, false);
    } else if (message.messageDone && status === 200) {
      const said = httpStatusOf(statusIn(message));
      if (first) this.#onHead(said);
      else if (said >= 500) this.#outcome = outcomeOf(said);
    } else if (first) this.#onHead(status);
    // A message has come: that of a stream may be followed by others for an hour.
    else if (this.#ticket > 0) this.#settle(this.#outcome);
  }

  /** @param last nothing else will say what becomes of the request. */
  #onHead(status: number, last = true) {
    if (this.endpoint.timed) {
      const at = now();
      observeLatency(this.endpoint, at - this.startedAt, at);
    }
    if (status >= 500) this.#outcome = outcomeOf(status);
    // A probe holds up others: a response that streams for an hour must not.
    if (last && this.#ticket > 0) this.#settle(this.#outcome);
  }

  onResponseEnd() {
    if (this.#discarded) return;
    this.#end(this.#outcome);
    this.#sender.onAnswerEnd(this);
  }

  onFailure(stream: UpstreamStream, failure: Failure) {
    const stale = isStale(stream, failure);
    this.#end(stale ? 'none' : 'failure');
    if (this.endpoint.timed && !stale) {
      const at = now();
      observeLatency(this.endpoint, Math.max(failureLatency, at - this.startedAt), at);
    }
    this.#sender.onAttemptFailure(this, failure);
  }

  onUpstreamWritable() {
    this.#sender.onUpstreamWritable();
  }

  onBug(error: unknown) {
    this.#end('none');
    this.#sender.onBug(error);
  }

  #end(outcome: Outcome) {
    if (this.#ended) return;
    this.#ended = true;
    this.endpoint.active--;
    this.#release?.();
    this.#settle(outcome);
  }

  #settle(outcome: Outcome) {
    if (this.#settled) return;
    this.#settled = true;
    this.#upstream.settle(this.endpoint, this.#ticket, outcome);
  }
}

/**
 * RFC 9112 section 9.3.1: a kept connection may be closed just as it is used again; RFC 9113 section 6.8: or
 * its upstream says that it takes no more. That is no failure.
 */
export function isStale({ reused, answered }: UpstreamStream, failure: Failure): boolean {
  return reused && !answered && (failure === 'reset' || failure === 'refused');
}
