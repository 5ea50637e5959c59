import { contentAt, type TableShape } from '../../../state/shared-table.ts';

/** What the threads of a data plane know together of how well a service is: words of its row. */
export const HealthWord = {
  /** The second that is counted now; see `secondOf`. */
  second: contentAt,
  /** Counted in it: requests, failures, latencies and the sum of their logarithms. */
  requests: contentAt + 1,
  failures: contentAt + 2,
  latencies: contentAt + 3,
  logarithms: contentAt + 4,
} as const;

/** Numbers of 64 bits, by their first word. */
export const HealthNumber = {
  /** The same of the seconds before, the older the less. */
  requests: contentAt + 6,
  failures: contentAt + 8,
  latencies: contentAt + 10,
  logarithms: contentAt + 12,
  /** Logarithm of the usual latency, and the seconds it is known from. */
  usual: contentAt + 14,
  known: contentAt + 16,
} as const;

/** What they know of one limit with one service. */
export const FactorWord = { second: contentAt, cause: contentAt + 1 } as const;
/** From above 0 to 1; 0 stands for 1. */
export const FactorNumber = { factor: contentAt + 2 } as const;

/** 4,096 services and limits with a service, 360 KiB; pages are touched when used. */
export const adaptiveShape: TableShape = { rows: 4096, words: contentAt + 18, shareWords: 2 };

/** The second of a time on the clock of `now()`, never 0. */
export function secondOf(now: number): number {
  return Math.floor(now / 1000) + 1;
}
