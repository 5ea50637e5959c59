import { Field } from '../http1/field-names.ts';
import type { Parser } from '../http1/parser.ts';
import { errorReply } from '../http1/reply.ts';
import { Body } from '../http1/request-head.ts';
import { type RequestPlan, requestText } from '../http1/request-text.ts';
import type { ForwardAction, LinkedBackend, LinkedTimeouts } from '../link/runtime.ts';
import { now } from '../state/clock.ts';
import type { Failure, ResponseSink, UpstreamConnection } from '../upstreams/connection.ts';
import type { EndpointPool } from '../upstreams/endpoint-pool.ts';
import type { Exchange, RunningAction } from './exchange.ts';
import { startMirrors } from './mirror.ts';
import { rewrittenTarget } from './rewritten-target.ts';

/** RFC 9110 section 9.2.2. */
const idempotent = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);

/** Endpoints that are tried when connections are refused: nothing was sent, so any method may move on. */
const connectAttempts = 3;

/** Starts the action on an exchange whose head, and perhaps some body, was parsed from `chunk`. */
export function startForward(
  exchange: Exchange,
  action: ForwardAction,
  parser: Parser,
  chunk: Buffer,
) {
  const backend = action.only ?? action.pick();
  if (!backend?.upstream) {
    // Gateway API, HTTPBackendRef: an unresolved reference answers 500.
    return reply(exchange, 500, 'Backend not resolved');
  }
  exchange.service = backend.upstream.label;
  const endpoint = backend.upstream.pick();
  if (!endpoint) return reply(exchange, 503, 'Service unavailable');
  const forward = new Forward(exchange, backend, parser);
  exchange.action = forward;
  const mirrors = exchange.rule?.mirrors;
  if (mirrors) forward.mirror = startMirrors(mirrors, exchange, forward.text, chunk);
  forward.attempt(endpoint, chunk, false);
}

function reply(exchange: Exchange, status: number, error: string) {
  exchange.client.reply(exchange, errorReply(status, error));
}

/** One request on its way to an upstream and back. */
class Forward implements RunningAction, ResponseSink {
  /** Gets a copy of the request body, when the rule mirrors. */
  mirror: ((parser: Parser, chunk: Buffer) => void) | undefined;
  /** The request head as it is sent to the upstream. */
  readonly text: string;
  readonly #exchange: Exchange;
  readonly #backend: LinkedBackend;
  readonly #source: Parser;
  readonly #timeouts: LinkedTimeouts;
  #connection: UpstreamConnection | undefined;
  #attempts = 0;
  #sentMore = false;
  #firstChunk: Buffer = empty;
  #lastActivity: number;
  /** End of the whole exchange; Infinity when there is no limit. */
  readonly #requestDeadline: number;

  constructor(exchange: Exchange, backend: LinkedBackend, source: Parser) {
    this.#exchange = exchange;
    this.#backend = backend;
    this.#source = source;
    this.#timeouts = exchange.rule?.timeouts ?? noTimeouts;
    this.#lastActivity = exchange.startedAt;
    const { request } = this.#timeouts;
    this.#requestDeadline = request > 0 ? exchange.startedAt + request : Number.POSITIVE_INFINITY;
    const { hidden, upstreamFields } = exchange;
    if (hidden) for (const index of hidden) exchange.head.codes[index] = Field.dropped;
    const plan: RequestPlan = {
      target: rewrittenTarget(exchange, exchange.rule?.rewrite),
      host: backend.host,
      edits: backend.requestEdits,
      forwarded: upstreamFields + exchange.client.forwardedLines(exchange),
      requestId: exchange.requestId,
    };
    this.text = requestText(exchange.head, plan);
    this.#arm();
  }

  /** Sends the request to an endpoint. `chunk` is the one that held the head. */
  attempt(endpoint: EndpointPool, chunk: Buffer, fresh: boolean) {
    this.#attempts++;
    this.#firstChunk = chunk;
    if (this.#attempts > 1) this.#touch();
    const connection = endpoint.acquire(this.#lastActivity, fresh);
    this.#connection = connection;
    const chunked = this.#exchange.head.body === Body.chunked;
    const ready = connection.send(this, this.text, chunked, this.#source, chunk);
    if (!ready && !this.#source.messageDone) this.#exchange.client.pause();
  }

  onRequestBody(parser: Parser, chunk: Buffer) {
    this.mirror?.(parser, chunk);
    if (!this.#connection) return;
    this.#sentMore = true;
    this.#firstChunk = empty;
    this.#touch();
    if (!this.#connection.sendMore(parser, chunk)) this.#exchange.client.pause();
  }

  onUpstreamWritable() {
    this.#touch();
    this.#exchange.client.resume();
  }

  onClientWritable() {
    this.#touch();
    this.#connection?.socket.resume();
  }

  onClientGone() {
    this.#connection?.abort();
    this.#connection = undefined;
  }

  onInterim(connection: UpstreamConnection) {
    this.#touch();
    this.#exchange.client.writer.interim(this.#exchange, connection.head);
  }

  onResponse(connection: UpstreamConnection, chunk: Buffer, first: boolean) {
    const exchange = this.#exchange;
    const edits = this.#backend.responseEdits;
    const ready = exchange.client.writer.respond(exchange, connection.head, chunk, first, edits);
    if (connection.parser.messageDone) return;
    this.#touch();
    if (!ready) connection.socket.pause();
  }

  keepsChunk(): boolean {
    return !this.#exchange.client.writer.flushed;
  }

  onResponseEnd() {
    this.#connection = undefined;
    this.#exchange.client.finish(this.#exchange);
  }

  onBug(error: unknown) {
    this.#connection = undefined;
    this.#exchange.client.fail(this.#exchange, error);
  }

  onFailure(connection: UpstreamConnection, failure: Failure) {
    this.#connection = undefined;
    const exchange = this.#exchange;
    if (exchange.responseStarted) return exchange.client.cut(exchange);
    if (failure === 'connect timeout') return reply(exchange, 504, 'Gateway timeout');
    const next = this.#nextEndpoint(connection, failure);
    if (next) return this.attempt(next, this.#firstChunk, true);
    reply(exchange, 502, 'Bad gateway');
  }

  /** Where the request may be sent again without any risk of being processed twice unasked. */
  #nextEndpoint(connection: UpstreamConnection, failure: Failure): EndpointPool | undefined {
    if (this.#sentMore || this.#attempts > connectAttempts) return undefined;
    const upstream = this.#backend.upstream;
    if (failure === 'connect') {
      return this.#attempts < connectAttempts && (upstream?.size ?? 0) > 1
        ? upstream?.pickOther()
        : undefined;
    }
    // RFC 9112 section 9.3.1: a kept connection may be closed just as it is used again.
    const stale = failure === 'reset' && connection.reused && !connection.answered;
    return stale && idempotent.has(this.#exchange.head.method) ? upstream?.pick() : undefined;
  }

  onDeadline(now: number) {
    const exchange = this.#exchange;
    const at = this.#deadline();
    if (at > now) return exchange.client.arm(at);
    const stalledClient = !exchange.requestDone && now < this.#requestDeadline;
    this.#connection?.abort();
    this.#connection = undefined;
    if (exchange.responseStarted) return exchange.client.cut(exchange);
    if (!stalledClient) return reply(exchange, 504, 'Gateway timeout');
    // RFC 9110 section 15.5.9: the rest of the body is not waited for.
    exchange.close = true;
    reply(exchange, 408, 'Request timeout');
  }

  /** When the exchange is given up, as things stand now. */
  #deadline(): number {
    const { idle, backendRequest } = this.#timeouts;
    // While a body is on its way, silence counts; between the bodies, the time to the response head.
    const inBody = this.#exchange.responseStarted || !this.#source.messageDone;
    const limit = inBody ? idle : backendRequest;
    return Math.min(
      this.#requestDeadline,
      limit > 0 ? this.#lastActivity + limit : Number.POSITIVE_INFINITY,
    );
  }

  #touch() {
    this.#lastActivity = now();
    this.#arm();
  }

  #arm() {
    const at = this.#deadline();
    if (at !== Number.POSITIVE_INFINITY) this.#exchange.client.arm(at);
  }
}

const empty = Buffer.alloc(0);
const noTimeouts: LinkedTimeouts = { request: 0, backendRequest: 0, idle: 0 };
