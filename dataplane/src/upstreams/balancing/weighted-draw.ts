import type { Candidate } from './balancer.ts';

/** Draws indices in proportion to the shares, as they were when it was made. */
export type Draw = {
  /** @param random from 0 to below 1. */
  one(random: number): number;
  /** An index that is not `first`; `first` when there is no other. */
  other(first: number, random: number): number;
};

export function createDraw(candidates: readonly Candidate[]): Draw {
  const ends: number[] = [];
  let total = 0;
  for (const { share } of candidates) {
    total += share;
    ends.push(total);
  }

  /** The first whose end lies behind `at`. */
  function indexAt(at: number): number {
    let low = 0;
    let high = ends.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] ?? 0) > at) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  return {
    one: (random) => indexAt(random * total),
    other(first, random) {
      if (ends.length < 2) return first;
      const start = first === 0 ? 0 : (ends[first - 1] ?? 0);
      const share = (ends[first] ?? 0) - start;
      const at = random * (total - share);
      // Rounding may lead to the very end of what is left out.
      const index = indexAt(at < start ? at : at + share);
      return index === first ? (first + 1) % ends.length : index;
    },
  };
}
