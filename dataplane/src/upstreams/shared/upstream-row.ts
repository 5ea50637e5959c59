import { contentAt, type TableShape } from '../../state/shared-table.ts';

/**
 * What the threads of a data plane know together about an upstream: words of its row, then numbers of 64
 * bits (by their first word).
 */
export const UpstreamWord = {
  /** Counts up whenever one of its endpoints goes out of service or comes back. */
  version: contentAt,
  /** See BreakerState. */
  breaker: contentAt + 1,
  /** Failures since the last success. */
  failures: contentAt + 2,
  /** Probes that may still be sent while it is half-open, and those that succeeded. */
  permits: contentAt + 3,
  successes: contentAt + 4,
  /** Counts the times it was half-open: what earlier probes find out does not count. */
  round: contentAt + 5,
  /** Requests, retries and waiting requests of all threads. */
  requests: contentAt + 6,
  retries: contentAt + 7,
  pending: contentAt + 8,
} as const;

export const UpstreamNumber = {
  /** When it turns half-open, and when it came into its state; on the clock of `now()`. */
  openUntil: contentAt + 10,
  changedAt: contentAt + 12,
} as const;

/** Three words for each bucket of the window of errors: which time it is for, requests, errors. */
export const windowAt = contentAt + 14;
export const windowBuckets = 10;

/** What one thread holds of an upstream; see Row.share. */
export const UpstreamShare = {
  /** Requests, retries and waiting requests, in the order of the words. */
  requests: 1,
  retries: 2,
  pending: 3,
  /** Probes under way, and of which round. */
  probes: 4,
  round: 5,
} as const;

/** 8,192 upstreams, 2 MiB; pages are touched when used. */
export const upstreamShape: TableShape = { rows: 8192, words: 64, shareWords: 6 };
