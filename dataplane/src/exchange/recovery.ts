import { fieldValue } from '../http1/request-head.ts';
import { statusIn } from '../http2/grpc-status.ts';
import { now } from '../state/clock.ts';
import { refused } from '../upstreams/breaker.ts';
import type { Endpoint } from '../upstreams/endpoint.ts';
import { refusalErrors } from '../upstreams/refusals.ts';
import type { RetryReason } from '../upstreams/retry-counts.ts';
import type { Failure } from '../upstreams/stream.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { type Attempt, isStale } from './attempt.ts';
import { replyError } from './direct.ts';
import type { Exchange } from './exchange.ts';
import { isIdempotent, type Retries, retryAfterOf } from './retries.ts';

/** Endpoints that are tried when connections are refused: nothing was sent, so any method may move on. */
const connectAttempts = 3;

/** What a recovery needs of the delivery that it is for. */
export type Recoverable = {
  readonly exchange: Exchange;
  readonly upstream: Upstream;
  readonly retries: Retries | undefined;
  /** What balancing goes by. */
  readonly key: number;
  /** How often the request was sent, or tried to. */
  readonly attempts: number;
  /** All of the request can be sent again. */
  readonly resendable: boolean;
  /** End of the whole exchange. */
  readonly end: number;
  /** Sends the request to another endpoint. `release` is called when that attempt ends. */
  dispatch(endpoint: Endpoint, ticket: number, fresh: boolean, release?: () => void): void;
  /** The request is going to be sent again later. */
  hold(): void;
};

/** Finds out whether, when and where a request is sent again that one attempt did not serve. */
export class Recovery {
  readonly #of: Recoverable;
  readonly #tried: Endpoint[] = [];

  constructor(of: Recoverable) {
    this.#of = of;
  }

  /** True when the request is, or will be, under way again. */
  afterFailure(attempt: Attempt, failure: Failure): boolean {
    const { upstream, retries } = this.#of;
    const next = this.#nextAtOnce(attempt, failure);
    const ticket = next ? upstream.admit(now()) : refused;
    if (next && ticket !== refused) {
      this.#of.dispatch(next, ticket, true);
      return true;
    }
    const reason = retries?.afterFailure(failure);
    return reason !== undefined && this.#retry(attempt, reason, 0);
  }

  /** True when the answer whose head has come is not for the client. */
  afterHead(attempt: Attempt): boolean {
    const { head } = attempt.stream;
    const { retries, exchange } = this.#of;
    const reason =
      exchange.grpc && head.status === 200
        ? retries?.afterGrpcStatus(statusIn(head.message))
        : retries?.afterStatus(head.status);
    if (reason === undefined) return false;
    const wait = retryAfterOf(fieldValue(head.message, 'retry-after'), Date.now());
    return this.#retry(attempt, reason, wait);
  }

  afterTimeout(attempt: Attempt): boolean {
    const reason = this.#of.retries?.afterFailure('timeout');
    return reason !== undefined && this.#retry(attempt, reason, 0);
  }

  /** Where the request may be sent at once, whatever the rule: it has not been processed for sure. */
  #nextAtOnce({ stream, endpoint }: Attempt, failure: Failure): Endpoint | undefined {
    const { upstream, attempts, resendable, exchange } = this.#of;
    if (!resendable || attempts > connectAttempts) return undefined;
    if (failure === 'connect') {
      this.#tried.push(endpoint);
      if (attempts >= connectAttempts || upstream.size < 2) return undefined;
      return this.#other();
    }
    if (failure === 'refused') return this.#other([endpoint]) ?? endpoint;
    return isStale(stream, failure) && isIdempotent(exchange.head) ? endpoint : undefined;
  }

  /** Another endpoint that takes a request now. */
  #other(besides: readonly Endpoint[] = this.#tried): Endpoint | undefined {
    const { upstream, key } = this.#of;
    const picked = upstream.pickOther(key, besides);
    return picked && upstream.limitsConnections ? upstream.withRoom(picked, false) : picked;
  }

  /** Sends the request again after a while, unless something speaks against it. */
  #retry(failed: Attempt, reason: RetryReason, retryAfter: number): boolean {
    const { retries, end } = this.#of;
    const delay = retries?.delay(retryAfter);
    if (!retries || delay === undefined || now() + delay >= end) return false;
    const release = retries.take(reason);
    if (!release) return false;
    if (!this.#tried.includes(failed.endpoint)) this.#tried.push(failed.endpoint);
    this.#of.hold();
    retries.later(delay, () => this.#again(retries, release));
    return true;
  }

  #again(retries: Retries, release: () => void) {
    const { upstream, key, exchange } = this.#of;
    const endpoint = this.#other();
    if (endpoint) return this.#dispatch(endpoint, release);
    if (!upstream.pickOther(key, this.#tried)) return this.#giveUp('no endpoint', release);
    const leave = upstream.wait(exchange.rule?.route ?? '', () => {
      const found = this.#other();
      if (found) retries.step(() => this.#dispatch(found, release));
      return found !== undefined;
    });
    if (!leave) return this.#giveUp('no connection', release);
    exchange.atEnd?.push(leave);
    retries.later(upstream.settings.connections.queueTimeout, () => {
      leave();
      this.#giveUp('no connection', release);
    });
  }

  #dispatch(endpoint: Endpoint, release: () => void) {
    const ticket = this.#of.upstream.admit(now());
    if (ticket === refused) return this.#giveUp('circuit open', release);
    this.#of.dispatch(endpoint, ticket, false, release);
  }

  #giveUp(reason: keyof typeof refusalErrors, release: () => void) {
    release();
    replyError(this.#of.exchange, 503, refusalErrors[reason]);
  }

  /** Where a request goes that is sent a second time beside the first; undefined: nowhere. */
  second(first: Attempt): { endpoint: Endpoint; ticket: number; release: () => void } | undefined {
    const { upstream, retries } = this.#of;
    const endpoint = this.#other([...this.#tried, first.endpoint]);
    if (!retries || !endpoint || endpoint === first.endpoint) return undefined;
    const ticket = upstream.admit(now());
    const release = ticket === refused ? undefined : retries.take('hedge');
    if (release) return { endpoint, ticket, release };
    upstream.settle(endpoint, ticket, 'none');
    return undefined;
  }
}
