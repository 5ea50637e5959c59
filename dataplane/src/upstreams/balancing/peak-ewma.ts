import { type Algorithm, type Candidate, realChance } from './balancer.ts';
import { createDraw } from './weighted-draw.ts';

/** Milliseconds in which what was measured loses 63 % of its say. */
const decay = 10_000;

/** What a candidate costs that has requests under way and never answered, in milliseconds. */
const unknown = 10_000;

/**
 * The cheaper of two that are drawn by weight: latency times requests under way. A peak counts at once
 * and is forgotten slowly, so that who turns slow is left alone, and tried again later (Finagle's
 * peak-EWMA).
 */
export const peakEwma: Algorithm = {
  byKey: false,
  byLatency: true,
  create(candidates, chance = realChance) {
    const draw = createDraw(candidates);
    let shares = 0;
    for (const { share } of candidates) shares += share;
    const mean = shares / candidates.length;
    return {
      pick() {
        const first = draw.one(chance.random());
        const one = candidates[first];
        const other = candidates[draw.other(first, chance.random())];
        if (!one || !other) return one;
        const at = chance.clock();
        return cost(other, mean, at) < cost(one, mean, at) ? other : one;
      },
    };
  },
};

function cost(candidate: Candidate, mean: number, at: number): number {
  const { active, share } = candidate;
  if (candidate.latency === 0) return active === 0 ? 0 : unknown + active;
  return latencyAt(candidate, at) * ((active * mean) / share + 1);
}

function latencyAt({ latency, latencyAt }: Candidate, at: number): number {
  return latency * Math.exp(-Math.max(0, at - latencyAt) / decay);
}

/** Takes in how long an answer took, in milliseconds. */
export function observeLatency(candidate: Candidate, sample: number, at: number) {
  const before = latencyAt(candidate, at);
  const keep = Math.exp(-Math.max(0, at - candidate.latencyAt) / decay);
  const mean = candidate.latency * keep + sample * (1 - keep);
  candidate.latency = sample > before ? sample : mean;
  candidate.latencyAt = at;
}
