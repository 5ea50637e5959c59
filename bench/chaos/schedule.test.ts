import { describe, expect, it } from 'vitest';
import { calmAfter, calmBegin, repairsOf, scheduleOf } from './schedule.ts';
import { troubles } from './troubles.ts';

const seeds = [1, 2, 3, 4711, 2 ** 31 - 1];

describe.each(seeds)('the schedule of seed %i', (seed) => {
  const events = scheduleOf(seed, 8, 120_000);

  it('is the same each time, and that of another seed is another', () => {
    expect(scheduleOf(seed, 8, 120_000)).toEqual(events);
    expect(scheduleOf(seed + 1, 8, 120_000)).not.toEqual(events);
  });

  it('has every trouble, in calm at begin and end', () => {
    expect(new Set(events.map(({ trouble }) => trouble))).toEqual(new Set(troubles));
    for (const { at, repairedAt } of events) {
      expect(at).toBeGreaterThanOrEqual(calmBegin);
      expect(repairedAt - at).toBeGreaterThanOrEqual(1000);
      expect(repairedAt + calmAfter).toBeLessThanOrEqual(120_000);
    }
  });

  it('has at most three endpoints in trouble, each with one', () => {
    for (const { at } of events) {
      const present = events.filter((other) => other.at <= at && at < other.repairedAt);
      expect(present.length).toBeLessThanOrEqual(3);
      expect(new Set(present.map(({ endpoint }) => endpoint)).size).toBe(present.length);
    }
  });

  it('is followed by a calm after each of its last repairs', () => {
    const repairs = repairsOf(events);
    expect(repairs.length).toBeGreaterThan(10);
    for (const repair of repairs) {
      const during = events.filter(
        ({ at, repairedAt }) => at < repair + calmAfter && repairedAt > repair,
      );
      expect(during).toEqual([]);
    }
  });
});

it('of a short run is not empty', () => {
  expect(scheduleOf(1, 8, 15_000).length).toBeGreaterThan(0);
});
