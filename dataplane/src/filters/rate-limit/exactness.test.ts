import type { Limit } from '@gatehouse/crds';
import { Lane } from '@gatehouse/snapshot';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultLimits } from '../../http1/limits.ts';
import { reservePort } from '../../testing/gateway.ts';
import { patient } from '../../testing/peer.ts';
import { describeRedis, startRedis, type TestRedis } from '../../testing/redis.ts';
import { lanesOf, type TestPolicy } from '../../testing/snapshot.ts';
import { startWorkers, type WorkerFleet } from '../../workers/fleet.ts';
import { fixedWindow, slidingWindow, tokenBucket } from './algorithms.ts';
import { type CounterDemand, CounterTable, tableBytes } from './counter-table.ts';
import { asking, perHour, redisPolicy, withRedis } from './redis/testing.ts';

/** A data plane with a port of its own. */
type DataPlane = { port: number; fleet: WorkerFleet };

let planes: DataPlane[] = [];
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

async function startPlane(count = 2): Promise<DataPlane> {
  const { port, release } = await reservePort();
  await release();
  const fleet = startWorkers({
    count,
    host: '127.0.0.1',
    zone: '',
    limits: defaultLimits,
    logLevel: 'fatal',
    accessLog: undefined,
    log,
  });
  return { port, fleet };
}

async function serve(policy: TestPolicy) {
  for (const { port, fleet } of planes) {
    const value = { status: 200, body: Buffer.from('yes') };
    const rules = [{ name: 'r', action: { case: 'respond' as const, value } }];
    const { config, endpoints } = lanesOf({ rules, policies: [policy] }, port);
    await fleet.apply(Lane.ENDPOINTS, endpoints);
    expect(await fleet.apply(Lane.CONFIG, config)).toEqual([]);
  }
}

/** Statuses of requests that are sent together, by turns to each data plane. */
async function flood(count: number) {
  const statuses = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const { port } = planes[i % planes.length]!;
      return (await asking(() => port).ask()).status;
    }),
  );
  return (status: number) => statuses.filter((one) => one === status).length;
}

const withoutCounting = ({ rules = [], ...policy }: TestPolicy): TestPolicy => ({
  ...policy,
  rules: rules.filter(({ block }) => block === 'limits'),
});

const algorithms: [string, Partial<Limit>][] = [
  ['TokenBucket', {}],
  ['SlidingWindow', { algorithm: 'SlidingWindow' }],
  ['FixedWindow', { algorithm: 'FixedWindow' }],
];

describe('limits of one data plane', () => {
  beforeEach(async () => {
    planes = [await startPlane()];
  });
  afterEach(async () => {
    await Promise.all(planes.map(({ fleet }) => fleet.close(0)));
  });

  it.each(algorithms)('of %s are exact over its threads', async (_, more) => {
    await serve(withoutCounting(redisPolicy({ a: perHour(50, more) }, {})));
    const seen = await flood(160);
    expect([seen(200), seen(429)]).toEqual([50, 110]);
  });
});

describeRedis('limits in Redis', () => {
  let redis: TestRedis;
  beforeEach(async () => {
    redis = await startRedis();
    planes = [await startPlane(), await startPlane()];
  });
  afterEach(async () => {
    await Promise.all(planes.map(({ fleet }) => fleet.close(0)));
    await redis.close();
  });

  it('are exact over two data planes of two threads each', async () => {
    await serve(redisPolicy({ warm: perHour(100_000) }, withRedis(redis)));
    // Until each thread is connected it answers 503.
    await expect.poll(async () => (await flood(40))(200), patient).toBe(40);
    for (const [, more] of algorithms) {
      await serve(redisPolicy({ a: perHour(50, more) }, withRedis(redis)));
      const seen = await flood(160);
      expect([seen(200), seen(429)]).toEqual([50, 110]);
    }
  });
});

describe('a counter', () => {
  const demandOf = (more: Partial<CounterDemand>): CounterDemand => ({
    algorithm: tokenBucket,
    limit: 3,
    window: 60_000,
    burst: 3,
    cost: 1,
    high: 1,
    low: 1,
    allowed: false,
    remaining: 0,
    resetAfter: 0,
    retryAfter: 0,
    ...more,
  });
  const all = [tokenBucket, fixedWindow, slidingWindow];

  it.each(all)('of $name is never reset by a flood of other keys', (algorithm) => {
    const table = new CounterTable(new SharedArrayBuffer(tableBytes), () => undefined);
    const mine = () => table.take([demandOf({ algorithm })], 1);
    expect([mine(), mine(), mine(), mine()]).toEqual([true, true, true, false]);
    // More keys than there are slots, all of which meet the row of the first one as well.
    for (let i = 2; i < 400_000; i++) {
      const low = i % 4 === 0 ? 1 : Math.imul(i, 0x9e3779b1);
      table.take([demandOf({ algorithm, high: i, low })], 2);
      if (i % 50_000 === 0) expect(mine()).toBe(false);
    }
    expect(mine()).toBe(false);
  });
});

describe('a wall clock that is set', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([-86_400_000, 86_400_000])('by %i ms changes nothing', async (step) => {
    // Of one thread: this one, whose clock is set.
    planes = [await startPlane(1)];
    await serve(withoutCounting(redisPolicy({ a: perHour(2) }, {})));
    expect((await flood(3))(200)).toBe(2);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + step });
    expect((await flood(3))(429)).toBe(3);
    await planes[0]!.fleet.close(0);
  });
});
