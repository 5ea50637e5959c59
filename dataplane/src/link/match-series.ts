import type { MatchSeries } from './runtime.ts';

/** The series of a match that was not counted yet. */
export function createMatchSeries(): MatchSeries {
  return {
    lastKey: -1,
    lastCounter: 0,
    lastMethod: -1,
    lastService: '',
    lastHistogram: 0,
    counters: new Map(),
    histograms: new Map(),
  };
}
