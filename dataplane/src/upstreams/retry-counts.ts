import { retriesDenied, retriesTotal } from './metrics.ts';
import type { Surroundings } from './surroundings.ts';

/** Why a request is sent again. */
export type RetryReason =
  | 'connect-failure'
  | 'reset'
  | 'timeout'
  | 'status'
  | 'grpc-status'
  | 'hedge';

/** Counts retries, and those that budget or limit did not allow. */
export type RetryCounts = {
  retried(reason: RetryReason): void;
  denied(reason: 'budget' | 'limit'): void;
};

export function countRetries(service: string, { counter }: Surroundings): RetryCounts {
  const counts = new Map<string, () => void>();
  function count(family: string, reason: string) {
    let one = counts.get(family + reason);
    if (!one) {
      one = counter(family, { service, reason });
      counts.set(family + reason, one);
    }
    one();
  }
  return {
    retried: (reason) => count(retriesTotal.name, reason),
    denied: (reason) => count(retriesDenied.name, reason),
  };
}
