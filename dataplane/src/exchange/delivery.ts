import type { Parser } from '../http1/parser.ts';
import { Body, fieldValue } from '../http1/request-head.ts';
import type { LinkedBackend } from '../link/runtime.ts';
import { now } from '../state/clock.ts';
import { refused } from '../upstreams/breaker.ts';
import type { Failure } from '../upstreams/connection.ts';
import type { Endpoint } from '../upstreams/endpoint.ts';
import { refusalErrors } from '../upstreams/refusals.ts';
import type { RetryReason } from '../upstreams/retry-counts.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { stickyLine } from './affinity.ts';
import { Attempt, isStale, type Sender } from './attempt.ts';
import { replyError } from './direct.ts';
import type { Exchange, RunningAction } from './exchange.ts';
import { overridesOf } from './overrides.ts';
import { isIdempotent, Retries, retryAfterOf } from './retries.ts';
import { type TimeLimits, timeLimitsOf } from './time-limits.ts';
import { upstreamText } from './upstream-text.ts';

/** Endpoints that are tried when connections are refused: nothing was sent, so any method may move on. */
const connectAttempts = 3;

/** One request on its way to an upstream and back, by one attempt or several. */
export class Delivery implements RunningAction, Sender {
  /** Gets a copy of the request body, when the rule mirrors. */
  mirror: ((parser: Parser, chunk: Buffer) => void) | undefined;
  /** The request head as it is sent to the upstream. */
  text: string;
  readonly #exchange: Exchange;
  readonly #backend: LinkedBackend;
  readonly #upstream: Upstream;
  readonly #key: number;
  readonly #source: Parser;
  /** The request body is sent in chunks. */
  readonly #chunked: boolean;
  readonly #limits: TimeLimits;
  /** Undefined unless the rule retries. */
  readonly #retries: Retries | undefined;
  /** Undefined while it waits for the next one. */
  #attempt: Attempt | undefined;
  /** A second one beside the first. */
  #hedge: Attempt | undefined;
  #attempts = 0;
  #tried: Endpoint[] = [];
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
    this.#chunked = exchange.head.body === Body.chunked;
    const overrides = overridesOf(exchange);
    this.#limits = timeLimitsOf(exchange, overrides);
    this.text = upstreamText(exchange, backend, this.#limits.end);
    const rule = exchange.rule?.retries;
    this.#retries = rule && new Retries(rule, upstream, exchange, overrides?.retries);
    this.#arm();
  }

  /** Sends the request to the first endpoint. `chunk` is the one that held the head. */
  begin(endpoint: Endpoint, ticket: number, chunk: Buffer) {
    this.#firstChunk = chunk;
    this.#retries?.takeBody(this.#source, chunk, true);
    this.#dispatch(endpoint, ticket, false);
    if (this.#source.messageDone) this.#retries?.hedge(() => this.#sendSecond());
  }

  #dispatch(endpoint: Endpoint, ticket: number, fresh: boolean, release?: () => void) {
    if (++this.#attempts > 1) {
      this.#touch();
      // With what is left of the time.
      this.text = upstreamText(this.#exchange, this.#backend, this.#limits.end);
    }
    const attempt = this.#open(endpoint, ticket, fresh, release);
    this.#attempt = attempt;
    const ready = this.#sentMore
      ? this.#sendHeld(attempt)
      : attempt.send(this.text, this.#chunked, this.#source, this.#firstChunk);
    if (this.#source.messageDone) return;
    if (!ready) this.#exchange.client.pause();
    else if (this.#attempts > 1) this.#exchange.client.resume();
  }

  #open(endpoint: Endpoint, ticket: number, fresh: boolean, release?: () => void): Attempt {
    const at = this.#limits.lastActivity;
    const attempt = new Attempt(this, this.#upstream, endpoint, ticket, at, fresh);
    attempt.release = release;
    return attempt;
  }

  #sendHeld(attempt: Attempt): boolean {
    const body = this.#retries?.held.text ?? '';
    return attempt.sendHeld(this.text + body, this.#chunked, this.#source);
  }

  onRequestBody(parser: Parser, chunk: Buffer) {
    this.mirror?.(parser, chunk);
    this.#retries?.takeBody(parser, chunk, this.#attempt !== undefined);
    this.#sentMore = true;
    this.#firstChunk = empty;
    if (!this.#attempt) return;
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
    this.#abort('none');
  }

  #abort(outcome: 'none' | 'failure') {
    this.#attempt?.abort(outcome);
    this.#attempt = undefined;
    this.#hedge?.abort('none');
    this.#hedge = undefined;
  }

  onInterim({ connection }: Attempt) {
    this.#touch();
    this.#exchange.client.writer.interim(this.#exchange, connection.head);
  }

  onAnswer(attempt: Attempt, chunk: Buffer, first: boolean) {
    const exchange = this.#exchange;
    const { connection, endpoint } = attempt;
    if (first) {
      if (this.#retries && this.#isReplaced(attempt, this.#retries)) return;
      if (this.#upstream.sticky) {
        exchange.responseFields += stickyLine(exchange, this.#upstream, endpoint);
      }
    }
    const edits = this.#backend.responseEdits;
    const ready = exchange.client.writer.respond(exchange, connection.head, chunk, first, edits);
    if (connection.parser.messageDone) return;
    this.#touch();
    if (!ready) connection.socket.pause();
  }

  /** True when the client does not get this answer: the request is sent again, or is on its way elsewhere. */
  #isReplaced(attempt: Attempt, retries: Retries): boolean {
    const { head, parser } = attempt.connection;
    const other = attempt === this.#hedge ? this.#attempt : this.#hedge;
    if (other) {
      const bad = retries.isBad(head.status);
      if (bad) attempt.discard();
      else other.abort('none');
      this.#attempt = bad ? other : attempt;
      this.#hedge = undefined;
      return bad;
    }
    const reason = retries.afterStatus(head.status);
    const wait = retryAfterOf(fieldValue(parser, 'retry-after'), Date.now());
    if (reason === undefined || !this.#retry(attempt, reason, wait)) return false;
    attempt.discard();
    this.#attempt = undefined;
    return true;
  }

  keepsChunk(): boolean {
    return !this.#exchange.client.writer.flushed;
  }

  onAnswerEnd() {
    this.#attempt = undefined;
    this.#exchange.client.finish(this.#exchange);
  }

  onBug(error: unknown) {
    this.#abort('none');
    this.#exchange.client.fail(this.#exchange, error);
  }

  onAttemptFailure(attempt: Attempt, failure: Failure) {
    if (this.#hedge) return this.#goOnWithOther(attempt);
    this.#attempt = undefined;
    const exchange = this.#exchange;
    if (exchange.responseStarted) return exchange.client.cut(exchange);
    const next = this.#nextEndpoint(attempt, failure);
    const ticket = next ? this.#upstream.admit(now()) : refused;
    if (next && ticket !== refused) return this.#dispatch(next, ticket, true);
    const reason = this.#retries?.afterFailure(failure);
    if (reason && this.#retry(attempt, reason, 0)) return;
    if (failure === 'connect timeout') replyError(exchange, 504, 'Gateway timeout');
    else replyError(exchange, 502, 'Bad gateway');
  }

  #goOnWithOther(gone: Attempt) {
    if (gone === this.#attempt) this.#attempt = this.#hedge;
    this.#hedge = undefined;
  }

  /** Where the request may be sent at once, whatever the rule: it has not been processed for sure. */
  #nextEndpoint({ connection, endpoint }: Attempt, failure: Failure): Endpoint | undefined {
    if ((this.#sentMore && !this.#isHeld) || this.#attempts > connectAttempts) return undefined;
    if (failure === 'connect') {
      this.#tried.push(endpoint);
      return this.#attempts < connectAttempts && this.#upstream.size > 1
        ? this.#upstream.pickOther(this.#key, this.#tried)
        : undefined;
    }
    return isStale(connection, failure) && isIdempotent(this.#exchange.head) ? endpoint : undefined;
  }

  get #isHeld(): boolean {
    return this.#retries?.held.lost === false;
  }

  /** Sends the request again after a while, unless something speaks against it. */
  #retry(failed: Attempt, reason: RetryReason, retryAfter: number): boolean {
    const retries = this.#retries;
    const delay = retries?.delay(retryAfter);
    if (!retries || delay === undefined || now() + delay >= this.#limits.end) return false;
    const release = retries.take(reason);
    if (!release) return false;
    if (!this.#tried.includes(failed.endpoint)) this.#tried.push(failed.endpoint);
    // Nothing of the body is to come while nobody is there to take it.
    if (!this.#source.messageDone) this.#exchange.client.pause();
    retries.later(delay, () => this.#again(release));
    return true;
  }

  #again(release: () => void) {
    const endpoint = this.#upstream.pickOther(this.#key, this.#tried);
    const ticket = endpoint ? this.#upstream.admit(now()) : refused;
    if (endpoint && ticket !== refused) return this.#dispatch(endpoint, ticket, false, release);
    release();
    replyError(this.#exchange, 503, refusalErrors[endpoint ? 'circuit open' : 'no endpoint']);
  }

  /** Asks another endpoint beside the one that is slow. */
  #sendSecond() {
    const [first, retries] = [this.#attempt, this.#retries];
    if (!first || !retries?.hedges || this.#exchange.responseStarted) return;
    const endpoint = this.#upstream.pickOther(this.#key, [...this.#tried, first.endpoint]);
    if (!endpoint || endpoint === first.endpoint) return;
    const ticket = this.#upstream.admit(now());
    const release = ticket === refused ? undefined : retries.take('hedge');
    if (!release) return this.#upstream.settle(endpoint, ticket, 'none');
    this.#hedge = this.#open(endpoint, ticket, false, release);
    this.#sendHeld(this.#hedge);
  }

  onDeadline(at: number) {
    const exchange = this.#exchange;
    const deadline = this.#deadline();
    if (deadline > at) return exchange.client.arm(deadline);
    const stalledClient = !exchange.requestDone && at < this.#limits.end;
    if (this.#attempt && !exchange.responseStarted && !stalledClient && at < this.#limits.end) {
      return this.#onTryTimeout(this.#attempt);
    }
    const stalledReader = this.#attempt?.connection.socket.isPaused() === true;
    this.#abort(stalledClient || stalledReader ? 'none' : 'failure');
    if (exchange.responseStarted) return exchange.client.cut(exchange);
    if (!stalledClient) return replyError(exchange, 504, 'Gateway timeout');
    // RFC 9110 section 15.5.9: the rest of the body is not waited for.
    exchange.close = true;
    replyError(exchange, 408, 'Request timeout');
  }

  #onTryTimeout(attempt: Attempt) {
    attempt.abort('failure');
    if (this.#hedge) {
      this.#goOnWithOther(attempt);
      return this.#touch();
    }
    this.#attempt = undefined;
    const reason = this.#retries?.afterFailure('timeout');
    if (reason && this.#retry(attempt, reason, 0)) return this.#arm();
    replyError(this.#exchange, 504, 'Gateway timeout');
  }

  #deadline(): number {
    if (!this.#attempt && this.#attempts > 0) return this.#limits.end;
    return this.#limits.next(this.#exchange.responseStarted || !this.#source.messageDone);
  }

  #touch() {
    this.#limits.lastActivity = now();
    this.#arm();
  }

  #arm() {
    this.#limits.arm(this.#deadline());
  }
}

const empty = Buffer.alloc(0);
