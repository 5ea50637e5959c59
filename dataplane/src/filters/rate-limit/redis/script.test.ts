import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeRedis, startRedis, type TestRedis } from '../../../testing/redis.ts';
import {
  type Algorithm,
  type CounterState,
  type Demand,
  fixedWindow,
  slidingWindow,
  tokenBucket,
} from '../algorithms.ts';
import { letters, script, scriptWith } from './script.ts';

/** The same script by a clock that the test sets, the last argument; Redis would expire keys by its own. */
const clocked = scriptWith('tonumber(ARGV[#ARGV])').replace(/, 'PX', .*\)$/m, ')');

const all: Algorithm[] = [tokenBucket, fixedWindow, slidingWindow];

type Setting = { algorithm: Algorithm; limit: number; burst: number; window: number };

const demandOf = (setting: Setting, cost: number): Demand => ({
  ...setting,
  cost,
  allowed: false,
  remaining: 0,
  resetAfter: 0,
  retryAfter: 0,
});

const argumentsOf = ({ algorithm, limit, window, burst }: Setting, cost: number) => [
  letters[algorithm.name] ?? '',
  limit,
  window * 1000,
  burst,
  cost,
];

/** What CounterTable.take does, without the table. */
function takeAll(demands: Demand[], states: CounterState[], now: number): boolean {
  for (const [i, demand] of demands.entries()) demand.algorithm.judge(demand, states[i]!, now);
  const allowed = demands.every((demand) => demand.allowed);
  for (const [i, demand] of demands.entries()) {
    if (allowed) demand.algorithm.take(demand, states[i]!, now);
    else if (demand.allowed) {
      const { cost } = demand;
      demand.cost = 0;
      demand.algorithm.judge(demand, states[i]!, now);
      demand.cost = cost;
    }
  }
  return allowed;
}

describeRedis('the script', () => {
  let redis: TestRedis;
  let serial = 0;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.close());

  const run = (text: string, keys: string[], values: (string | number)[]) =>
    redis.client.eval(text, keys.length, ...keys, ...values) as Promise<number[]>;

  const setting = fc.record({
    algorithm: fc.constantFrom(...all),
    limit: fc.integer({ min: 0, max: 9 }),
    burst: fc.integer({ min: 1, max: 12 }),
    window: fc.constantFrom(1000, 1500, 3000),
  });
  const step = fc.record({
    gap: fc.integer({ min: 0, max: 900 }),
    costs: fc.array(fc.constantFrom(0, 0.5, 1, 2, 4), { minLength: 3, maxLength: 3 }),
    /** Whether what was taken is given back at once. */
    back: fc.boolean(),
  });
  const steps = fc.array(step, { maxLength: 25 });

  it('answers as the algorithms do, one counter or several', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(setting, { minLength: 1, maxLength: 3 }),
        steps,
        async (settings, all) => {
          const id = serial++;
          const keys = settings.map((_, i) => `test:${id}:${i}`);
          const states = settings.map(() => ({ until: 0, a: 0, b: 0 }));
          let now = 1_000_000_000;
          for (const { gap, costs, back } of all) {
            now += gap;
            const demands = settings.map((one, i) => demandOf(one, costs[i]!));
            const values = settings.flatMap((one, i) => argumentsOf(one, costs[i]!));
            const allowed = takeAll(demands, states, now);
            const [told, at, ...numbers] = await run(clocked, keys, [
              'take',
              ...values,
              now * 1000,
            ]);
            expect([told, at]).toEqual([allowed ? 1 : 0, now * 1000]);
            for (const [i, demand] of demands.entries()) {
              const [one, left, reset, retry] = numbers.slice(i * 4);
              expect([one, left]).toEqual([demand.allowed ? 1 : 0, demand.remaining]);
              expect(Math.abs(reset! - demand.resetAfter * 1000)).toBeLessThan(2);
              if (retry === -1) expect(demand.retryAfter).toBe(Number.POSITIVE_INFINITY);
              else expect(Math.abs(retry! - demand.retryAfter * 1000)).toBeLessThan(2);
            }
            if (!allowed || !back) continue;
            await run(clocked, keys, [now * 1000, ...values, now * 1000]);
            for (const [i, demand] of demands.entries()) {
              demand.algorithm.giveBack(demand, states[i]!, now);
            }
          }
          if (all.length > 0) await redis.client.del(...keys);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each(all)('of $name keeps its limit by the clock of Redis', async (algorithm) => {
    const key = `clock:${algorithm.name}`;
    const one = { algorithm, limit: 5, burst: 5, window: 3_600_000 };
    const asked = Array.from({ length: 8 }, () =>
      run(script, [key], ['take', ...argumentsOf(one, 1)]),
    );
    const answers = await Promise.all(asked);
    expect(answers.map(([allowed]) => allowed)).toEqual([1, 1, 1, 1, 1, 0, 0, 0]);
    expect(answers.map((answer) => answer[3])).toEqual([4, 3, 2, 1, 0, 0, 0, 0]);
    // It goes away by itself when it says nothing any more.
    const left = await redis.client.pttl(key);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(2 * 3_600_000);
  });

  it.each(all)('of $name gives nothing away when the clock is set back', async (algorithm) => {
    const key = `back:${algorithm.name}`;
    const one = { algorithm, limit: 2, burst: 2, window: 60_000 };
    const at = async (now: number) =>
      (await run(clocked, [key], ['take', ...argumentsOf(one, 1), now]))[0];
    const start = 5_000_000_000_000;
    expect([await at(start), await at(start), await at(start)]).toEqual([1, 1, 0]);
    const hour = 3_600_000_000;
    expect(await at(start - hour)).toBe(0);
    // Nor does it keep anybody out for as long as the step: all is as after a present use.
    expect(await at(start - hour + 120_000_000)).toBe(1);
  });

  it('keeps small costs against a great limit', async () => {
    const one = { algorithm: tokenBucket, limit: 1_000_000_000, burst: 1_000_000, window: 1000 };
    let left = 0;
    for (let i = 0; i < 10; i++) {
      left = (await run(clocked, ['small'], ['take', ...argumentsOf(one, 1), 9e15 / 4]))[3]!;
    }
    // One for the rounding.
    expect(1_000_000 - left).toBeGreaterThanOrEqual(9);
    expect(1_000_000 - left).toBeLessThanOrEqual(10);
  });
});
