import { queuedRequests, upstreamFallbacks, upstreamRefusals } from './metrics.ts';
import type { Surroundings } from './surroundings.ts';

/** Why a backend is not asked, with the error that the client gets. */
export const refusalErrors = {
  'circuit open': 'Circuit breaker open',
  overloaded: 'Service overloaded',
  'no connection': 'Service overloaded',
  'no endpoint': 'Service unavailable',
} as const;
export type Refusal = keyof typeof refusalErrors;

/** Counts the requests that were not sent to an upstream, those that its fallback answered, and those that waited. */
export type RefusalCounts = { count(reason: Refusal): void; fallback(): void; queued(): void };

export function countRefusals(service: string, { counter }: Surroundings): RefusalCounts {
  const counts = new Map<Refusal, () => void>();
  let fallback: (() => void) | undefined;
  let queued: (() => void) | undefined;
  return {
    count(reason) {
      let count = counts.get(reason);
      if (!count) {
        count = counter(upstreamRefusals.name, { service, reason });
        counts.set(reason, count);
      }
      count();
    },
    fallback() {
      fallback ??= counter(upstreamFallbacks.name, { service });
      fallback();
    },
    queued() {
      queued ??= counter(queuedRequests.name, { service });
      queued();
    },
  };
}
