import type { Upstream } from '@gatehouse/snapshot';
import type { Row } from '../../state/shared-table.ts';
import { BreakerState } from '../breaker.ts';
import { UpstreamNumber, UpstreamWord } from '../shared/upstream-row.ts';

/** A circuit breaker as GET /circuit-breakers shows it. */
export type BreakerView = {
  service: string;
  resource: string;
  state: 'closed' | 'open' | 'half-open';
  /** Failures since the last success. */
  consecutiveFailures: number;
  failureThreshold: number;
  /** Seconds since it came into its state; left out when it never left the first. */
  forSeconds?: number;
  /** Seconds until an open one lets probes through. */
  probesInSeconds?: number;
  /** Requests under way over all threads, when they are limited. */
  requests?: number;
  maxRequests?: number;
};

export function breakerView(
  resource: string,
  message: Upstream,
  { words, numbers, at }: Row,
  now: number,
): BreakerView {
  const word = (index: number) => Atomics.load(words, at + index);
  const number = (index: number) => numbers[(at + index) / 2] ?? 0;
  const { failureThreshold = 0, limits } = message.circuitBreaker ?? {};
  const open = word(UpstreamWord.breaker) === BreakerState.open;
  const left = number(UpstreamNumber.openUntil) - now;
  const closed = word(UpstreamWord.breaker) === BreakerState.closed;
  const changedAt = number(UpstreamNumber.changedAt);
  return {
    service: message.label,
    resource,
    // Once its time is over the next request is a probe.
    state: closed ? 'closed' : open && left > 0 ? 'open' : 'half-open',
    consecutiveFailures: word(UpstreamWord.failures),
    failureThreshold,
    ...(changedAt > 0 ? { forSeconds: seconds(now - changedAt) } : {}),
    ...(open && left > 0 ? { probesInSeconds: seconds(left) } : {}),
    ...(limits && limits.maxRequests > 0
      ? { requests: word(UpstreamWord.requests), maxRequests: limits.maxRequests }
      : {}),
  };
}

export function seconds(milliseconds: number): number {
  return Math.round(milliseconds) / 1000;
}
