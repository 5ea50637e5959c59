import type { Message } from '../http1/message.ts';
import { Body } from '../http1/request-head.ts';
import { statusIn } from '../http2/grpc-status.ts';
import type { LinkedBackend } from '../link/runtime.ts';
import { now } from '../state/clock.ts';
import type { UpstreamConnection } from '../upstreams/connection.ts';
import type { Endpoint } from '../upstreams/endpoint.ts';
import type { Failure } from '../upstreams/stream.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { stickyLine } from './affinity.ts';
import { Attempt, type Sender } from './attempt.ts';
import { replyError, replyTimeout } from './direct.ts';
import type { Exchange, RunningAction } from './exchange.ts';
import { overridesOf } from './overrides.ts';
import { type Recoverable, Recovery } from './recovery.ts';
import { Retries } from './retries.ts';
import { type TimeLimits, timeLimitsOf } from './time-limits.ts';
import { Tunnel } from './tunnel.ts';
import { isSwitch } from './upgrade.ts';
import { upstreamText } from './upstream-text.ts';

/** One request on its way to an upstream and back, by one attempt or several. */
export class Delivery implements RunningAction, Sender, Recoverable {
  /** Gets a copy of the request body, when the rule mirrors. */
  mirror: ((message: Message, chunk: Buffer) => void) | undefined;
  /** The request head as it is sent to the upstream. */
  text: string;
  readonly exchange: Exchange;
  readonly upstream: Upstream;
  readonly key: number;
  /** Undefined unless the rule retries. */
  readonly retries: Retries | undefined;
  attempts = 0;
  readonly #backend: LinkedBackend;
  readonly #source: Message;
  readonly #limits: TimeLimits;
  /** Undefined while it waits for the next one. */
  #attempt: Attempt | undefined;
  /** A second one beside the first. */
  #hedge: Attempt | undefined;
  /** Made when it is needed. */
  #recovery: Recovery | undefined;
  #sentMore = false;
  #firstChunk: Buffer = empty;

  constructor(exchange: Exchange, backend: LinkedBackend, upstream: Upstream, key: number) {
    this.exchange = exchange;
    this.upstream = upstream;
    this.key = key;
    this.#backend = backend;
    this.#source = exchange.head.message;
    const overrides = overridesOf(exchange);
    this.#limits = timeLimitsOf(exchange, overrides);
    this.text = upstreamText(exchange, backend, this.#limits.end);
    const rule = exchange.rule?.retries;
    this.retries = rule && new Retries(rule, upstream, exchange, overrides?.retries);
    this.#arm();
  }

  get end(): number {
    return this.#limits.end;
  }

  get grpc(): boolean {
    return this.exchange.grpc;
  }

  /** Sends the request to the first endpoint. `chunk` is the one that held the head. */
  begin(endpoint: Endpoint, ticket: number, chunk: Buffer) {
    this.#firstChunk = chunk;
    this.retries?.takeBody(this.#source, chunk, true);
    this.dispatch(endpoint, ticket, false);
    if (this.#source.messageDone && !this.exchange.upgrade)
      this.retries?.hedge(() => this.#sendSecond());
  }

  dispatch(endpoint: Endpoint, ticket: number, fresh: boolean, release?: () => void) {
    if (++this.attempts > 1) {
      this.#touch();
      // With what is left of the time.
      this.text = upstreamText(this.exchange, this.#backend, this.end);
    }
    const attempt = this.#open(endpoint, ticket, fresh, release);
    this.#attempt = attempt;
    const ready = this.#sentMore
      ? this.#sendHeld(attempt)
      : attempt.send(this.text, this.#chunked, this.#source, this.#firstChunk);
    if (this.#source.messageDone) return;
    if (!ready) this.exchange.client.pause();
    else if (this.attempts > 1) this.exchange.client.resume();
  }

  #open(endpoint: Endpoint, ticket: number, fresh: boolean, release?: () => void): Attempt {
    const at = this.#limits.lastActivity;
    return new Attempt(this, this.upstream, endpoint, ticket, at, fresh, release);
  }

  #sendHeld(attempt: Attempt): boolean {
    const body = this.retries?.held.text ?? '';
    return attempt.sendHeld(this.text, this.#chunked, this.#source, body);
  }

  get #chunked(): boolean {
    return this.exchange.head.body === Body.chunked;
  }

  get resendable(): boolean {
    return !this.#sentMore || this.retries?.held.lost === false;
  }

  hold() {
    this.#attempt = undefined;
    // Nothing of the body is to come while nobody is there to take it.
    if (!this.#source.messageDone) this.exchange.client.pause();
  }

  get #recover(): Recovery {
    this.#recovery ??= new Recovery(this);
    return this.#recovery;
  }

  /** Asks another endpoint beside the one that is slow. */
  #sendSecond() {
    const first = this.#attempt;
    if (!first || !this.retries?.hedges || this.exchange.responseStarted) return;
    const second = this.#recover.second(first);
    if (!second) return;
    this.#hedge = this.#open(second.endpoint, second.ticket, false, second.release);
    this.#sendHeld(this.#hedge);
  }

  onRequestBody(message: Message, chunk: Buffer) {
    this.mirror?.(message, chunk);
    this.retries?.takeBody(message, chunk, this.#attempt !== undefined);
    this.#sentMore = true;
    this.#firstChunk = empty;
    if (!this.#attempt) return;
    this.#touch();
    if (!this.#attempt.stream.sendMore(message, chunk)) this.exchange.client.pause();
  }

  onUpstreamWritable() {
    this.#touch();
    this.exchange.client.resume();
  }

  onClientWritable() {
    this.#touch();
    this.#attempt?.stream.resume();
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

  onInterim({ stream }: Attempt) {
    this.#touch();
    this.exchange.client.writer.interim(this.exchange, stream.head);
  }

  onUpgrade(attempt: Attempt, connection: UpstreamConnection, rest: Buffer): boolean {
    const { exchange, upstream } = this;
    const { tunnelEnd } = exchange.client;
    const { head } = connection;
    if (!tunnelEnd || exchange.upgrade === '' || !isSwitch(head, exchange.upgrade)) return false;
    this.#attempt = undefined;
    if (upstream.sticky)
      exchange.responseFields += stickyLine(exchange, upstream, attempt.endpoint);
    tunnelEnd.switchProtocol(exchange, head, this.#backend.responseEdits);
    new Tunnel(exchange, tunnelEnd, attempt, connection).open(rest);
    return true;
  }

  onAnswer(attempt: Attempt, chunk: Buffer, first: boolean) {
    const { exchange } = this;
    const { stream, endpoint } = attempt;
    if (first) {
      if (this.retries && this.#isReplaced(attempt, this.retries)) return attempt.discard();
      if (this.upstream.sticky) {
        exchange.responseFields += stickyLine(exchange, this.upstream, endpoint);
      }
    }
    const edits = this.#backend.responseEdits;
    const ready = exchange.client.writer.respond(exchange, stream.head, chunk, first, edits);
    if (stream.head.message.messageDone) return;
    this.#touch();
    if (!ready) stream.pause();
  }

  /** True when the client does not get this answer: the request is sent again, or is on its way elsewhere. */
  #isReplaced(attempt: Attempt, retries: Retries): boolean {
    const other = attempt === this.#hedge ? this.#attempt : this.#hedge;
    if (!other) return this.#recover.afterHead(attempt);
    const bad = retries.isBad(attempt.stream.head.status);
    if (!bad) other.abort('none');
    this.#attempt = bad ? other : attempt;
    this.#hedge = undefined;
    return bad;
  }

  onAnswerEnd({ stream }: Attempt) {
    this.#attempt = undefined;
    const { exchange } = this;
    if (exchange.grpc) exchange.grpcStatus = statusIn(stream.head.message);
    exchange.client.finish(exchange);
  }

  onBug(error: unknown) {
    this.#abort('none');
    this.exchange.client.fail(this.exchange, error);
  }

  onAttemptFailure(attempt: Attempt, failure: Failure) {
    if (this.#hedge) return this.#goOnWithOther(attempt);
    this.#attempt = undefined;
    const { exchange } = this;
    if (exchange.responseStarted) return exchange.client.cut(exchange);
    if (this.#recover.afterFailure(attempt, failure)) return;
    if (failure === 'connect timeout') replyError(exchange, 504, 'Gateway timeout');
    else replyError(exchange, 502, 'Bad gateway');
  }

  #goOnWithOther(gone: Attempt) {
    if (gone === this.#attempt) this.#attempt = this.#hedge;
    this.#hedge = undefined;
  }

  onDeadline(at: number) {
    const { exchange } = this;
    const deadline = this.#deadline();
    if (deadline > at) return exchange.client.arm(deadline);
    const stalledClient = !exchange.requestDone && at < this.end;
    if (this.#attempt && !exchange.responseStarted && !stalledClient && at < this.end) {
      return this.#onTryTimeout(this.#attempt);
    }
    const stalledReader = this.#attempt?.stream.paused === true;
    this.#abort(stalledClient || stalledReader ? 'none' : 'failure');
    if (exchange.responseStarted) return exchange.client.cut(exchange);
    if (!stalledClient) return replyTimeout(exchange);
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
    if (this.#recover.afterTimeout(attempt)) return this.#arm();
    replyTimeout(this.exchange);
  }

  #deadline(): number {
    if (!this.#attempt && this.attempts > 0) return this.end;
    return this.#limits.next(this.exchange.responseStarted || !this.#source.messageDone);
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
