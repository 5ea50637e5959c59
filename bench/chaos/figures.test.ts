import { describe, expect, it } from 'vitest';
import { type Bars, figuresOf, missedBars, percentile, type Sample } from './figures.ts';
import { calmBegin } from './schedule.ts';

const bars: Bars = { success: 99.99, latest: 2100, recovery: 2000 };

/** A request each 2 ms for 20 s, answered after 5 ms, but for what `change` says. */
function samplesOf(change: (sample: Sample) => void = () => undefined): Sample[] {
  return Array.from({ length: 10_000 }, (_, i) => {
    const sample = { sentAt: 2 * i, took: 5, status: 200 };
    change(sample);
    return sample;
  });
}

const slowUntil = (end: number) => (sample: Sample) => {
  if (sample.sentAt >= 10_000 && sample.sentAt < end && sample.sentAt % 20 === 0) sample.took = 300;
};

describe('figures', () => {
  it('of a good run', () => {
    const figures = figuresOf(samplesOf(), [10_000]);
    expect(figures).toMatchObject({
      requests: 10_000,
      failed: 0,
      success: 100,
      statuses: { 200: 10_000 },
      p50: 5,
      p99: 5,
      p99Calm: 5,
      slowest: 5,
      recoveries: [0],
    });
    expect(missedBars(figures, bars)).toEqual([]);
  });

  it.each<[number, boolean]>([
    [1, false],
    [2, true],
  ])('%i failures of 10,000', (failures, missed) => {
    const figures = figuresOf(
      samplesOf((sample) => {
        if (sample.sentAt < 2 * failures) sample.status = 503;
      }),
      [],
    );
    expect(figures.failed).toBe(failures);
    expect(missedBars(figures, bars)).toHaveLength(missed ? 1 : 0);
  });

  it('of an answer that comes too late', () => {
    const figures = figuresOf(
      samplesOf((sample) => {
        if (sample.sentAt === 12_000) sample.took = 2101;
      }),
      [],
    );
    expect(missedBars(figures, bars)).toEqual(['an answer took 2101 ms, more than 2100 ms']);
  });

  it.each<[number, number]>([
    [10_000, 0],
    [11_000, 1000],
    [11_900, 1900],
  ])('of a p99 that is bad until %i', (end, recovery) => {
    const figures = figuresOf(samplesOf(slowUntil(end)), [10_000]);
    expect(Math.abs((figures.recoveries[0] ?? 0) - recovery)).toBeLessThanOrEqual(100);
    expect(missedBars(figures, bars)).toEqual([]);
  });

  it('of a p99 that does not recover', () => {
    const figures = figuresOf(samplesOf(slowUntil(13_000)), [10_000]);
    expect(figures.worstRecovery).toBe(Number.POSITIVE_INFINITY);
    expect(missedBars(figures, bars)).toEqual([
      'after a repair the p99 was not as before within 2000 ms',
    ]);
  });

  it('of nothing are missed', () => {
    expect(missedBars(figuresOf([], []), bars)).toContain('nothing was measured');
  });

  it('take the calm before the first trouble for usual', () => {
    const figures = figuresOf(
      samplesOf((sample) => {
        if (sample.sentAt >= calmBegin) sample.took = 50;
        if (sample.sentAt < 1000) sample.took = 500;
      }),
      [],
    );
    expect(figures.p99Calm).toBe(5);
  });
});

it.each([
  [[], 0],
  [[7], 7],
  [[3, 1, 2], 3],
  [Array.from({ length: 100 }, (_, i) => i + 1), 99],
])('the 99th percentile of %j', (values, expected) => {
  expect(percentile(values, 99)).toBe(expected);
});
