import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mixed } from '../../state/hash.ts';
import type { Algorithm, Balancer, Candidate, Chance } from './balancer.ts';
import { leastRequest } from './least-request.ts';
import { maglev } from './maglev.ts';
import { observeLatency, peakEwma } from './peak-ewma.ts';
import { random } from './random.ts';
import { ringHash } from './ring-hash.ts';
import { roundRobin } from './round-robin.ts';

/** What holds for every balancer, whatever it goes by. */
const picks = 12_000;

type Case = {
  name: string;
  algorithm: Algorithm;
  /** How far a share may be from its weight, of the share, beside what chance does. */
  tolerance: number;
  /** Percent of the keys that may move between those that stay when one goes. */
  moved: number;
};

const cases: Case[] = [
  { name: 'RoundRobin', algorithm: roundRobin, tolerance: 0, moved: 100 },
  { name: 'Random', algorithm: random, tolerance: 0, moved: 100 },
  { name: 'LeastRequest', algorithm: leastRequest, tolerance: 0, moved: 100 },
  { name: 'PeakEwma', algorithm: peakEwma, tolerance: 0, moved: 100 },
  { name: 'RingHash', algorithm: ringHash, tolerance: 0.5, moved: 0 },
  { name: 'Maglev', algorithm: maglev, tolerance: 0.03, moved: 2 },
];

function candidate(id: string, share: number): Candidate & { active: number } {
  return { id, share, active: 0, credit: 0, latency: 0, latencyAt: 0 };
}

/** Numbers that look drawn and are the same in every run. */
function chanceOf(seed: number): Chance & { time: number } {
  let state = seed;
  return {
    time: 1000,
    random() {
      state = (state + 0x9e3779b9) | 0;
      return mixed(state) / 2 ** 32;
    },
    clock() {
      return this.time;
    },
  };
}

function countPicks(balancer: Balancer<Candidate>, chance: Chance): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i < picks; i++) {
    const id = balancer.pick(Math.floor(chance.random() * 2 ** 32))?.id ?? '';
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

const ids = fc.uniqueArray(fc.integer({ min: 1, max: 254 }), { minLength: 1, maxLength: 8 });
const group = fc.record({ ids, seed: fc.integer() }).chain(({ ids, seed }) =>
  fc
    .array(fc.integer({ min: 1, max: 9 }), { minLength: ids.length, maxLength: ids.length })
    .map((weights) => ({
      seed,
      candidates: ids.map((id, i) => candidate(`10.0.0.${id} 80`, weights[i] ?? 1)),
    })),
);

/** The share of each that was picked is that of its weight, but for chance (6 sigma) and tolerance. */
function expectSpread(counts: Map<string, number>, candidates: Candidate[], tolerance: number) {
  const total = candidates.reduce((sum, { share }) => sum + share, 0);
  for (const { id, share } of candidates) {
    const part = share / total;
    const chance = 6 * Math.sqrt(picks * part * (1 - part)) + 1;
    const error = Math.abs((counts.get(id) ?? 0) - picks * part);
    expect(error, `${id} of ${JSON.stringify([...counts])}`).toBeLessThanOrEqual(
      chance + tolerance * picks * part,
    );
  }
}

describe.each(cases)('$name', ({ algorithm, tolerance, moved }) => {
  it('gives nothing when there is nobody', () => {
    expect(algorithm.create([]).pick(7)).toBeUndefined();
  });

  it('shares out by weight and leaves nobody out', () => {
    fc.assert(
      fc.property(group, ({ candidates, seed }) => {
        const chance = chanceOf(seed);
        const counts = countPicks(algorithm.create(candidates, chance), chance);
        expect([...counts.keys()].sort()).toEqual(candidates.map(({ id }) => id).sort());
        expectSpread(counts, candidates, tolerance);
      }),
      { numRuns: 25 },
    );
  });

  it('goes on with those that stay when one goes, and with all when it is back', () => {
    fc.assert(
      fc.property(group, ({ candidates, seed }) => {
        fc.pre(candidates.length > 2);
        const chance = chanceOf(seed);
        const [gone, ...stay] = candidates;
        const all = algorithm.create(candidates, chance);
        const fewer = algorithm.create(stay, chance);
        let shifted = 0;
        let lost = 0;
        for (let i = 0; i < 3000; i++) {
          const key = Math.floor(chance.random() * 2 ** 32);
          const before = all.pick(key);
          const after = fewer.pick(key);
          if (after === gone) lost++;
          if (before !== gone && after !== before) shifted++;
        }
        expect(lost).toBe(0);
        expect(shifted / 30).toBeLessThanOrEqual(moved);
        if (!algorithm.byKey) expectSpread(countPicks(fewer, chance), stay, tolerance);
        const again = algorithm.create(candidates, chance);
        expectSpread(countPicks(again, chance), candidates, tolerance);
      }),
      { numRuns: 15 },
    );
  });
});

describe.each(cases.filter(({ algorithm }) => algorithm.byKey))('$name', ({ algorithm }) => {
  it('sends a key to the same endpoint on every data plane, in whatever order it learns of them', () => {
    fc.assert(
      fc.property(group, fc.integer(), ({ candidates }, key) => {
        const one = algorithm.create(candidates);
        const other = algorithm.create([...candidates].reverse());
        for (let i = 0; i < 100; i++) expect(other.pick(key + i)).toBe(one.pick(key + i));
      }),
      { numRuns: 15 },
    );
  });

  it('reaches each of 1,000 endpoints', () => {
    const many = Array.from({ length: 1000 }, (_, i) =>
      candidate(`10.0.${i >> 8}.${i & 255} 80`, 1),
    );
    const balancer = algorithm.create(many);
    const seen = new Set(Array.from({ length: 30_000 }, (_, key) => balancer.pick(key)?.id));
    expect(seen.size).toBe(1000);
  });
});

describe('LeastRequest', () => {
  it('leaves alone who is busier than others for its weight', () => {
    const light = candidate('light', 1);
    const heavy = candidate('heavy', 3);
    const balancer = leastRequest.create([light, heavy], chanceOf(1));
    light.active = 2;
    heavy.active = 5;
    expect(countPicks(balancer, chanceOf(2))).toEqual(new Map([['heavy', picks]]));
    heavy.active = 7;
    expect(countPicks(balancer, chanceOf(2))).toEqual(new Map([['light', picks]]));
  });
});

describe('PeakEwma', () => {
  it('leaves alone who answers slowly, and comes back when that was long ago', () => {
    const [fast, slow] = [candidate('fast', 1), candidate('slow', 1)];
    const chance = chanceOf(3);
    const balancer = peakEwma.create([fast, slow], chance);
    for (const one of [fast, slow]) observeLatency(one, 10, chance.time);
    observeLatency(slow, 500, chance.time);
    expect(countPicks(balancer, chance)).toEqual(new Map([['fast', picks]]));
    chance.time += 60_000;
    observeLatency(fast, 10, chance.time);
    expect(countPicks(balancer, chance)).toEqual(new Map([['slow', picks]]));
  });

  it('follows a peak at once and forgets it slowly', () => {
    const one = candidate('one', 1);
    observeLatency(one, 10, 1000);
    observeLatency(one, 400, 1010);
    expect(one.latency).toBe(400);
    observeLatency(one, 10, 2010);
    expect(one.latency).toBeGreaterThan(300);
    for (let at = 3000; at < 60_000; at += 1000) observeLatency(one, 10, at);
    expect(one.latency).toBeLessThan(15);
  });

  it('does not send everything to whoever has not answered yet', () => {
    const [known, silent] = [candidate('known', 1), candidate('silent', 1)];
    const chance = chanceOf(4);
    observeLatency(known, 20, chance.time);
    const balancer = peakEwma.create([known, silent], chance);
    expect(balancer.pick(0)).toBe(silent);
    silent.active = 1;
    expect(countPicks(balancer, chance)).toEqual(new Map([['known', picks]]));
  });
});
