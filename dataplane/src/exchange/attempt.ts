import type { Parser } from '../http1/parser.ts';
import { now } from '../state/clock.ts';
import { observeLatency } from '../upstreams/balancing/peak-ewma.ts';
import type { Failure, ResponseSink, UpstreamConnection } from '../upstreams/connection.ts';
import type { Endpoint } from '../upstreams/endpoint.ts';

/** Who sends a request, and is told what becomes of an attempt. */
export type Sender = {
  onInterim(attempt: Attempt): void;
  /** A chunk of the answer was parsed; with `first` the head is in it. */
  onAnswer(attempt: Attempt, chunk: Buffer, first: boolean): void;
  onAnswerEnd(attempt: Attempt): void;
  onAttemptFailure(attempt: Attempt, failure: Failure): void;
  onUpstreamWritable(): void;
  keepsChunk(): boolean;
  onBug(error: unknown): void;
};

/** What a failure counts as, in milliseconds, so that whoever refuses at once is not the fastest. */
const failureLatency = 1000;

/** One try to have a request answered by one endpoint. It counts there from begin to end. */
export class Attempt implements ResponseSink {
  readonly endpoint: Endpoint;
  readonly connection: UpstreamConnection;
  readonly startedAt: number;
  readonly #sender: Sender;
  #ended = false;

  /** @param fresh on a new connection: a kept one may be closed just as it is used. */
  constructor(sender: Sender, endpoint: Endpoint, at: number, fresh: boolean) {
    this.#sender = sender;
    this.endpoint = endpoint;
    this.startedAt = at;
    endpoint.active++;
    this.connection = endpoint.pool.acquire(at, fresh);
  }

  /** Sends the head with what is there of the body. False: wait for `onUpstreamWritable`. */
  send(text: string, chunked: boolean, source: Parser, chunk: Buffer): boolean {
    return this.connection.send(this, text, chunked, source, chunk);
  }

  /** Gives it up; nothing more is told. */
  abort() {
    this.#end();
    this.connection.abort();
  }

  onInterim() {
    this.#sender.onInterim(this);
  }

  onResponse(_connection: UpstreamConnection, chunk: Buffer, first: boolean) {
    if (first && this.endpoint.timed) {
      const at = now();
      observeLatency(this.endpoint, at - this.startedAt, at);
    }
    this.#sender.onAnswer(this, chunk, first);
  }

  keepsChunk(): boolean {
    return this.#sender.keepsChunk();
  }

  onResponseEnd() {
    this.#end();
    this.#sender.onAnswerEnd(this);
  }

  onFailure(_connection: UpstreamConnection, failure: Failure) {
    this.#end();
    if (this.endpoint.timed) {
      const at = now();
      observeLatency(this.endpoint, Math.max(failureLatency, at - this.startedAt), at);
    }
    this.#sender.onAttemptFailure(this, failure);
  }

  onUpstreamWritable() {
    this.#sender.onUpstreamWritable();
  }

  onBug(error: unknown) {
    this.#end();
    this.#sender.onBug(error);
  }

  #end() {
    if (this.#ended) return;
    this.#ended = true;
    this.endpoint.active--;
  }
}
