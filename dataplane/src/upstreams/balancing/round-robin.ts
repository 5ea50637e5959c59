import type { Algorithm, Candidate } from './balancer.ts';

/**
 * Smooth weighted round robin, as nginx does it: after the sum of the weights every candidate was picked
 * exactly as often as its weight says, spread as evenly as possible. What a candidate is owed stays with
 * it, so that changes of the list or of shares start nothing anew.
 */
export const roundRobin: Algorithm = {
  byKey: false,
  byLatency: false,
  create(candidates) {
    const [first] = candidates;
    if (first && candidates.every(({ share }) => share === first.share)) {
      let next = 0;
      return {
        pick() {
          if (next >= candidates.length) next = 0;
          return candidates[next++];
        },
      };
    }
    return { pick: () => mostOwed(candidates) };
  },
};

function mostOwed<C extends Candidate>(candidates: readonly C[]): C | undefined {
  let best: C | undefined;
  let total = 0;
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[i];
    if (!candidate) continue;
    total += candidate.share;
    candidate.credit += candidate.share;
    if (!best || candidate.credit > best.credit) best = candidate;
  }
  if (best) best.credit -= total;
  return best;
}
