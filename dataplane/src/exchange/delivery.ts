import type { Parser } from '../http1/parser.ts';
import { errorReply } from '../http1/reply.ts';
import { Body } from '../http1/request-head.ts';
import type { LinkedBackend } from '../link/runtime.ts';
import { now } from '../state/clock.ts';
import { refused } from '../upstreams/breaker.ts';
import type { Failure } from '../upstreams/connection.ts';
import type { Endpoint } from '../upstreams/endpoint.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { stickyLine } from './affinity.ts';
import { Attempt, type Sender } from './attempt.ts';
import type { Exchange, RunningAction } from './exchange.ts';
import { TimeLimits } from './time-limits.ts';
import { upstreamText } from './upstream-text.ts';

/** RFC 9110 section 9.2.2. */
const idempotent = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);

/** Endpoints that are tried when connections are refused: nothing was sent, so any method may move on. */
const connectAttempts = 3;

/** One request on its way to an upstream and back. */
export class Delivery implements RunningAction, Sender {
  /** Gets a copy of the request body, when the rule mirrors. */
  mirror: ((parser: Parser, chunk: Buffer) => void) | undefined;
  /** The request head as it is sent to the upstream. */
  readonly text: string;
  readonly #exchange: Exchange;
  readonly #backend: LinkedBackend;
  readonly #upstream: Upstream;
  readonly #key: number;
  readonly #source: Parser;
  readonly #limits: TimeLimits;
  #attempt: Attempt | undefined;
  #attempts = 0;
  #sentMore = false;
  #firstChunk: Buffer = empty;

  constructor(
    exchange: Exchange,
    backend: LinkedBackend,
    upstream: Upstream,
    key: number,
    source: Parser,
  ) {
    this.#exchange = exchange;
    this.#backend = backend;
    this.#upstream = upstream;
    this.#key = key;
    this.#source = source;
    this.#limits = new TimeLimits(exchange.rule?.timeouts, exchange.startedAt);
    this.text = upstreamText(exchange, backend);
    this.#arm();
  }

  /** Sends the request to an endpoint. `chunk` is the one that held the head. */
  attempt(endpoint: Endpoint, ticket: number, chunk: Buffer, fresh: boolean) {
    this.#attempts++;
    this.#firstChunk = chunk;
    if (this.#attempts > 1) this.#touch();
    const at = this.#limits.lastActivity;
    const attempt = new Attempt(this, this.#upstream, endpoint, ticket, at, fresh);
    this.#attempt = attempt;
    const chunked = this.#exchange.head.body === Body.chunked;
    const ready = attempt.send(this.text, chunked, this.#source, chunk);
    if (!ready && !this.#source.messageDone) this.#exchange.client.pause();
  }

  onRequestBody(parser: Parser, chunk: Buffer) {
    this.mirror?.(parser, chunk);
    if (!this.#attempt) return;
    this.#sentMore = true;
    this.#firstChunk = empty;
    this.#touch();
    if (!this.#attempt.connection.sendMore(parser, chunk)) this.#exchange.client.pause();
  }

  onUpstreamWritable() {
    this.#touch();
    this.#exchange.client.resume();
  }

  onClientWritable() {
    this.#touch();
    this.#attempt?.connection.socket.resume();
  }

  onClientGone() {
    this.#attempt?.abort('none');
    this.#attempt = undefined;
  }

  onInterim({ connection }: Attempt) {
    this.#touch();
    this.#exchange.client.writer.interim(this.#exchange, connection.head);
  }

  onAnswer({ connection, endpoint }: Attempt, chunk: Buffer, first: boolean) {
    const exchange = this.#exchange;
    if (first && this.#upstream.sticky) {
      exchange.responseFields += stickyLine(exchange, this.#upstream, endpoint);
    }
    const edits = this.#backend.responseEdits;
    const ready = exchange.client.writer.respond(exchange, connection.head, chunk, first, edits);
    if (connection.parser.messageDone) return;
    this.#touch();
    if (!ready) connection.socket.pause();
  }

  keepsChunk(): boolean {
    return !this.#exchange.client.writer.flushed;
  }

  onAnswerEnd() {
    this.#attempt = undefined;
    this.#exchange.client.finish(this.#exchange);
  }

  onBug(error: unknown) {
    this.#attempt = undefined;
    this.#exchange.client.fail(this.#exchange, error);
  }

  onAttemptFailure(attempt: Attempt, failure: Failure) {
    this.#attempt = undefined;
    const exchange = this.#exchange;
    if (exchange.responseStarted) return exchange.client.cut(exchange);
    if (failure === 'connect timeout') return reply(exchange, 504, 'Gateway timeout');
    const next = this.#nextEndpoint(attempt, failure);
    const ticket = next ? this.#upstream.admit(now()) : refused;
    if (!next || ticket === refused) return reply(exchange, 502, 'Bad gateway');
    this.attempt(next, ticket, this.#firstChunk, true);
  }

  /** Where the request may be sent again without any risk of being processed twice unasked. */
  #nextEndpoint({ connection, endpoint }: Attempt, failure: Failure): Endpoint | undefined {
    if (this.#sentMore || this.#attempts > connectAttempts) return undefined;
    if (failure === 'connect') {
      return this.#attempts < connectAttempts && this.#upstream.size > 1
        ? this.#upstream.pickOther(this.#key, [endpoint])
        : undefined;
    }
    // RFC 9112 section 9.3.1: a kept connection may be closed just as it is used again.
    const stale = failure === 'reset' && connection.reused && !connection.answered;
    return stale && idempotent.has(this.#exchange.head.method) ? endpoint : undefined;
  }

  onDeadline(now: number) {
    const exchange = this.#exchange;
    const at = this.#deadline();
    if (at > now) return exchange.client.arm(at);
    const stalledClient = !exchange.requestDone && now < this.#limits.end;
    this.#attempt?.abort(stalledClient ? 'none' : 'failure');
    this.#attempt = undefined;
    if (exchange.responseStarted) return exchange.client.cut(exchange);
    if (!stalledClient) return reply(exchange, 504, 'Gateway timeout');
    // RFC 9110 section 15.5.9: the rest of the body is not waited for.
    exchange.close = true;
    reply(exchange, 408, 'Request timeout');
  }

  #deadline(): number {
    return this.#limits.next(this.#exchange.responseStarted || !this.#source.messageDone);
  }

  #touch() {
    this.#limits.lastActivity = now();
    this.#arm();
  }

  #arm() {
    const at = this.#deadline();
    if (at !== Number.POSITIVE_INFINITY) this.#exchange.client.arm(at);
  }
}

function reply(exchange: Exchange, status: number, error: string) {
  exchange.client.reply(exchange, errorReply(status, error));
}

const empty = Buffer.alloc(0);
