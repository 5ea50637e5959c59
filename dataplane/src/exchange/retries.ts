import type { Message } from '../http1/message.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { LinkedRetries } from '../link/runtime.ts';
import type { RetryReason } from '../upstreams/retry-counts.ts';
import type { Failure } from '../upstreams/stream.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import type { Exchange } from './exchange.ts';
import { HeldBody } from './held-body.ts';

/** RFC 9110 section 9.2.2. */
const idempotentMethods = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);

export function isIdempotent({ method }: RequestHead): boolean {
  return idempotentMethods.has(method);
}

/** Whether, when and where the request of an exchange is sent again. */
export class Retries {
  readonly held = new HeldBody();
  readonly #rule: LinkedRetries;
  readonly #upstream: Upstream;
  readonly #exchange: Exchange;
  readonly #idempotent: boolean;
  readonly #most: number;
  #used = 0;

  #timer: NodeJS.Timeout | undefined;

  /** @param most retries, in place of those of the rule. */
  constructor(rule: LinkedRetries, upstream: Upstream, exchange: Exchange, most = rule.attempts) {
    this.#rule = rule;
    this.#upstream = upstream;
    this.#exchange = exchange;
    this.#idempotent = isIdempotent(exchange.head);
    this.#most = most;
    upstream.retryLoad.requests++;
    exchange.atEnd ??= [];
    exchange.atEnd.push(() => this.#end());
  }

  #end() {
    clearTimeout(this.#timer);
    this.#upstream.retryLoad.requests--;
  }

  /** Runs a step after so many milliseconds, in place of what was to come; never after the end. */
  later(milliseconds: number, run: () => void) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.step(run), milliseconds);
  }

  /** Runs a step now, in place of what was to come. A bug costs this exchange only. */
  step(run: () => void) {
    clearTimeout(this.#timer);
    try {
      run();
    } catch (error) {
      this.#exchange.action?.onClientGone();
      this.#exchange.client.fail(this.#exchange, error);
    }
  }

  /** Runs a step when it is time to ask a second endpoint, if the rule hedges. */
  hedge(run: () => void) {
    if (this.hedges) this.later(this.#rule.hedgeAfter, run);
  }

  takeBody(message: Message, chunk: Buffer, sent: boolean) {
    this.held.take(message, chunk, sent);
  }

  /** Why a request that failed so may be sent again; undefined: it may not. */
  afterFailure(failure: Failure | 'timeout'): RetryReason | undefined {
    const { connect, reset, timeout } = this.#rule;
    switch (failure) {
      case 'connect':
      case 'connect timeout':
      case 'refused':
        // Nothing was sent, or nothing of it processed, so any method may try again.
        return connect && this.#resendable ? 'connect-failure' : undefined;
      case 'reset':
      case 'protocol':
        return reset && this.#repeatable ? 'reset' : undefined;
      case 'timeout':
        return timeout && this.#repeatable ? 'timeout' : undefined;
    }
  }

  afterStatus(status: number): RetryReason | undefined {
    return this.isBad(status) && this.#repeatable ? 'status' : undefined;
  }

  /** @param status of gRPC, of an answer that says nothing else. Whoever names it says that calls may be repeated. */
  afterGrpcStatus(status: number): RetryReason | undefined {
    return this.isBadCall(status) && this.#resendable ? 'grpc-status' : undefined;
  }

  /** An answer with that status is worth another one. */
  isBad(status: number): boolean {
    return this.#rule.statuses.has(status);
  }

  isBadCall(status: number): boolean {
    return this.#rule.grpcStatuses.has(status);
  }

  /** While the request may be sent a second time beside the first. */
  get hedges(): boolean {
    return this.#rule.hedgeAfter > 0 && this.#repeatable;
  }

  get #resendable(): boolean {
    return this.#used < this.#most && !this.held.lost;
  }

  /** It may have been processed: only what may be processed twice is sent again. */
  get #repeatable(): boolean {
    return this.#idempotent && this.#resendable;
  }

  /**
   * Milliseconds to wait; undefined when the upstream asks for longer than the rule allows.
   * @param retryAfter what the answer asks for in milliseconds; 0: nothing.
   */
  delay(retryAfter: number): number | undefined {
    if (retryAfter > this.#rule.maxRetryAfter) return undefined;
    const { initial, max } = this.#rule.backOff;
    const longest = Math.min(max, initial * 2 ** this.#used);
    // Full jitter: Brooker, Exponential Backoff And Jitter.
    return Math.max(retryAfter, Math.random() * longest);
  }

  /** Takes one retry, if budget and limit allow it. What it returns gives back that it is under way. */
  take(reason: RetryReason): (() => void) | undefined {
    const { retryLoad, retryCounts, guard } = this.#upstream;
    const limit = guard?.retries;
    if (!retryLoad.allows(this.#rule.budget)) retryCounts.denied('budget');
    else if (limit && !limit.enter()) retryCounts.denied('limit');
    else {
      this.#used++;
      retryLoad.retries++;
      retryCounts.retried(reason);
      return () => {
        retryLoad.retries--;
        limit?.leave();
      };
    }
    return undefined;
  }
}

/**
 * What a Retry-After field asks for (RFC 9110 section 10.2.3), in milliseconds; 0 when there is none that
 * makes sense.
 */
export function retryAfterOf(value: string | undefined, time: number): number {
  if (value === undefined) return 0;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? 0 : Math.max(0, date - time);
}
