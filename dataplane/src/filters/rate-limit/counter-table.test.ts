import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Algorithm,
  concurrency,
  fixedWindow,
  slidingWindow,
  tokenBucket,
} from './algorithms.ts';
import { type CounterDemand, CounterTable, tableBytes } from './counter-table.ts';

const demandOf = (algorithm: Algorithm, more: Partial<CounterDemand> = {}): CounterDemand => ({
  algorithm,
  limit: 5,
  window: 1000,
  burst: 5,
  cost: 1,
  high: 1,
  low: 1,
  allowed: false,
  remaining: 0,
  resetAfter: 0,
  retryAfter: 0,
  ...more,
});
const newTable = (onOverflow = () => {}) =>
  new CounterTable(new SharedArrayBuffer(tableBytes), onOverflow);

/** What each algorithm means, written down without regard to cost. */
type Event = { at: number; cost: number };
const models: [string, Algorithm, (passed: Event[], next: Event, d: CounterDemand) => boolean][] = [
  [
    'token bucket',
    tokenBucket,
    (passed, next, { limit, window, burst }) => {
      let level = burst;
      let last = 0;
      for (const { at, cost } of [...passed, { ...next, cost: 0 }]) {
        level = Math.min(burst, level + ((at - last) * limit) / window) - cost;
        last = at;
      }
      return level + 1e-6 >= next.cost;
    },
  ],
  [
    'fixed window',
    fixedWindow,
    (passed, next, { limit, window }) => {
      const now = Math.floor(next.at / window);
      const same = passed.filter(({ at }) => Math.floor(at / window) === now);
      return same.reduce((sum, { cost }) => sum + cost, next.cost) <= limit;
    },
  ],
  [
    'sliding window',
    slidingWindow,
    (passed, next, { limit, window }) => {
      const now = Math.floor(next.at / window);
      const sum = (of: number) =>
        passed
          .filter(({ at }) => Math.floor(at / window) === of)
          .reduce((total, { cost }) => total + cost, 0);
      const share = 1 - (next.at - now * window) / window;
      return sum(now) + sum(now - 1) * share + next.cost <= limit + 1e-6;
    },
  ],
];

describe.each(models)('%s', (_, algorithm, model) => {
  const events = fc.array(
    fc.record({ gap: fc.integer({ min: 0, max: 900 }), cost: fc.integer({ min: 0, max: 4 }) }),
    { maxLength: 60 },
  );
  const settings = fc.record({
    limit: fc.integer({ min: 1, max: 9 }),
    burst: fc.integer({ min: 1, max: 12 }),
    window: fc.constantFrom(1000, 1500, 3000),
  });

  it('lets through what the model lets through, and tells when to come again', () => {
    fc.assert(
      fc.property(events, settings, (steps, setting) => {
        const table = newTable();
        const passed: Event[] = [];
        let now = 1;
        for (const { gap, cost } of steps) {
          now += gap;
          const demand = demandOf(algorithm, { ...setting, cost });
          const expected = model(passed, { at: now, cost }, demand);
          expect(table.take([demand], now)).toBe(expected);
          if (expected) passed.push({ at: now, cost });
          else if (demand.retryAfter !== Number.POSITIVE_INFINITY) {
            expect(demand.retryAfter).toBeGreaterThan(0);
            const later = now + demand.retryAfter + 0.001;
            expect(model(passed, { at: later, cost }, demand)).toBe(true);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('tells what is left', () => {
    const table = newTable();
    const left = [];
    for (let i = 0; i < 6; i++) {
      const demand = demandOf(algorithm);
      table.take([demand], 1);
      left.push(demand.remaining);
    }
    expect(left).toEqual([4, 3, 2, 1, 0, 0]);
  });

  it('of nothing lets nothing through', () => {
    const demand = demandOf(algorithm, { limit: 0, burst: 1 });
    expect(newTable().take([demand], 1)).toBe(false);
    expect(demand.retryAfter).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('concurrency', () => {
  it('counts what is under way', () => {
    const table = newTable();
    const one = () => demandOf(concurrency, { limit: 2, window: 0 });
    expect([table.take([one()], 1), table.take([one()], 1), table.take([one()], 1)]).toEqual([
      true,
      true,
      false,
    ]);
    table.giveBack(one(), 2);
    expect(table.take([one()], 3)).toBe(true);
  });
});

describe('a table', () => {
  it('takes from no counter when one of them refuses', () => {
    const table = newTable();
    const wide = () => demandOf(tokenBucket, { low: 2 });
    const none = demandOf(tokenBucket, { low: 3, limit: 0 });
    for (let i = 0; i < 10; i++) expect(table.take([wide(), none], 1)).toBe(false);
    const demand = wide();
    table.take([demand], 1);
    expect(demand.remaining).toBe(4);
  });

  it('keeps counters of one row apart, those of one request as well', () => {
    const table = newTable();
    const pair = () => [demandOf(fixedWindow, { high: 1 }), demandOf(fixedWindow, { high: 2 })];
    for (let i = 0; i < 5; i++) expect(table.take(pair(), 1)).toBe(true);
    expect(table.take(pair(), 1)).toBe(false);
    expect(table.take([demandOf(fixedWindow, { high: 3 })], 1)).toBe(true);
  });

  it('makes room only by what says nothing any more', () => {
    let overflows = 0;
    const table = newTable(() => overflows++);
    const key = (high: number) => demandOf(fixedWindow, { high, limit: 1 });
    for (let high = 1; high <= 7; high++) expect(table.take([key(high)], 1)).toBe(true);
    expect(overflows).toBe(0);
    // The row is full: the next two share one counter, and the first ones keep theirs.
    expect([table.take([key(8)], 1), table.take([key(9)], 1)]).toEqual([true, false]);
    expect(overflows).toBe(2);
    for (let high = 1; high <= 7; high++) expect(table.take([key(high)], 1)).toBe(false);
    expect(table.take([key(8)], 1001)).toBe(true);
    expect(overflows).toBe(2);
  });

  it('has room for 100,000 counters in 64 MiB', () => {
    expect(tableBytes).toBeLessThan(64 * 1024 * 1024);
    let overflows = 0;
    const table = newTable(() => overflows++);
    for (let i = 0; i < 100_000; i++) {
      const low = Math.imul(i + 1, 0x9e3779b1);
      table.take([demandOf(tokenBucket, { high: i, low })], 1);
    }
    expect(overflows / 100_000).toBeLessThan(0.01);
  });

  it('is exact over threads', async () => {
    const memory = new SharedArrayBuffer(tableBytes);
    const url = new URL('./counter-table.ts', import.meta.url);
    const code = `
      const { parentPort, workerData } = require('node:worker_threads');
      import(${JSON.stringify(url.href)}).then(async ({ CounterTable }) => {
        const { fixedWindow } = await import(${JSON.stringify(new URL('./algorithms.ts', import.meta.url).href)});
        const table = new CounterTable(workerData, () => {});
        let passed = 0;
        for (let i = 0; i < 30000; i++) {
          const demand = { algorithm: fixedWindow, limit: 20000, window: 1e9, burst: 1, cost: 1, high: 1, low: 1 };
          if (table.take([demand], 1)) passed++;
        }
        parentPort.postMessage(passed);
      });`;
    const passed = await Promise.all(
      [1, 2, 3].map(
        () =>
          new Promise<number>((resolve, reject) => {
            const worker = new Worker(code, { eval: true, workerData: memory });
            worker.on('message', resolve);
            worker.on('error', reject);
          }),
      ),
    );
    expect(passed.reduce((sum, one) => sum + one, 0)).toBe(20_000);
  });
});
