import { describe, expect, it } from 'vitest';
import { createShareMemory, createTableMemory, SharedTable } from '../../../state/shared-table.ts';
import { type AdaptiveSettings, Factor } from './factor.ts';
import { ServiceHealth } from './service-health.ts';
import { adaptiveShape } from './shape.ts';

const settings: AdaptiveSettings = { minimum: 0.1, errors: 0.2, latency: 3 };

/** A service as several threads see it. */
function world() {
  const memory = createTableMemory(adaptiveShape);
  const thread = () => {
    const table = new SharedTable(adaptiveShape, memory, createShareMemory(adaptiveShape));
    return {
      health: new ServiceHealth(table.claim('health a')),
      factor: new Factor(table.claim('factor a')),
    };
  };
  const threads = [thread(), thread()];
  let now = 5000;
  /** One second: `count` requests over all threads, then a look. */
  const second = (count: number, failures: number, latency: number | undefined, all = settings) => {
    for (let i = 0; i < count; i++) {
      threads[i % threads.length]!.health.record(i < failures, latency, now + i / count);
    }
    now += 1000;
    for (const { health, factor } of threads) {
      factor.step(() => health.condition(now), all, now);
    }
    const [one, other] = threads.map(({ factor }) => factor.value);
    expect(other).toBe(one);
    return one!;
  };
  const seconds = (n: number, ...args: Parameters<typeof second>) =>
    Array.from({ length: n }, () => second(...args));
  return { second, seconds, threads, condition: () => threads[0]!.health.condition(now) };
}

describe('a factor', () => {
  it('is 1 while a service is well', () => {
    expect(world().seconds(30, 100, 10, 20)).toEqual(Array(30).fill(1));
  });

  it('falls with failures to its minimum, and rises again evenly', () => {
    const { seconds, threads } = world();
    seconds(10, 100, 0, 20);
    const falling = seconds(12, 100, 100, undefined);
    expect(falling.every((value, i) => i === 0 || value <= falling[i - 1]!)).toBe(true);
    expect(falling.at(-1)).toBe(0.1);
    expect(threads[0]!.factor.cause).toBe('errors');
    const rising = seconds(60, 100, 0, 20);
    // Until failures are a small share of what is remembered.
    const begin = rising.findIndex((value, i) => i > 0 && value > rising[i - 1]!);
    expect(begin).toBeLessThan(20);
    for (let i = begin + 1; rising[i - 1]! < 0.95; i++) {
      expect(rising[i]! - rising[i - 1]!).toBeCloseTo(0.05);
    }
    expect(rising.at(-1)).toBe(1);
    expect(threads[0]!.factor.cause).toBe('');
  });

  it('falls the more the worse it is', () => {
    const [bad, worse] = [world(), world()];
    for (const one of [bad, worse]) one.seconds(5, 100, 0, 20);
    expect(bad.seconds(8, 100, 40, 20).at(-1)).toBeGreaterThan(
      worse.seconds(8, 100, 90, 20).at(-1)!,
    );
  });

  it('falls with latency as a multiple of the usual one', () => {
    const { seconds, threads } = world();
    seconds(30, 100, 0, 20);
    expect(seconds(10, 100, 0, 40).at(-1)).toBe(1);
    expect(seconds(15, 100, 0, 400).at(-1)).toBeLessThan(0.5);
    expect(threads[0]!.factor.cause).toBe('latency');
    expect(seconds(60, 100, 0, 20).at(-1)).toBe(1);
  });

  it.each([
    ['latency that does not count', 20, 400, { ...settings, latency: Number.POSITIVE_INFINITY }],
    ['a service that is fast to the millisecond', 0.2, 1.5, settings],
  ])('does not fall with %s', (_, usual, latency, all) => {
    const { seconds } = world();
    seconds(30, 100, 0, usual, all);
    expect(seconds(20, 100, 0, latency, all)).toEqual(Array(20).fill(1));
  });

  it('does not fall with what says nothing: few requests, or the first ones', () => {
    const { second, seconds } = world();
    expect(second(3, 3, undefined)).toBe(1);
    expect(seconds(3, 0, 0, undefined)).toEqual([1, 1, 1]);
    const fresh = world();
    expect([fresh.second(100, 0, 5), fresh.second(100, 0, 500)]).toEqual([1, 1]);
  });

  it('rises when nothing comes any more', () => {
    const { seconds } = world();
    seconds(10, 100, 100, undefined);
    expect(seconds(60, 0, 0, undefined).at(-1)).toBe(1);
  });

  it('lets what is slow for long become usual', () => {
    const { seconds, condition } = world();
    seconds(30, 100, 0, 20);
    seconds(10, 100, 0, 200);
    expect(condition().slowdown).toBeGreaterThan(3);
    seconds(6 * 3600, 100, 0, 200);
    expect(condition().slowdown).toBeLessThan(1.2);
  });
});
