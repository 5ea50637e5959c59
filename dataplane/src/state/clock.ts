import { performance } from 'node:perf_hooks';

/**
 * Milliseconds of the monotonic clock. The global `performance` is an accessor that costs more than
 * reading the clock.
 */
export function now(): number {
  return performance.now();
}
