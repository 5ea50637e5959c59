import type { Counting } from '@gatehouse/crds';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type RawBackend, startBackend } from '../../../testing/backend.ts';
import { startGatewayTo, type TestGateway } from '../../../testing/gateway.ts';
import { patient } from '../../../testing/peer.ts';
import { describeRedis, startRedis, type TestRedis } from '../../../testing/redis.ts';
import { forwardRule } from '../../../testing/snapshot.ts';
import { asking, perHour, redisPolicy, withRedis } from './testing.ts';

let backend: RawBackend;
let gateway: TestGateway;
let redis: TestRedis;
const { ask, statuses } = asking(() => gateway.port);
const limit = 60;

async function serve(counting: Counting, most: number) {
  const upstreams = { backend: { endpoints: [{ port: backend.port }] } };
  const policies = [redisPolicy({ a: perHour(most) }, counting)];
  await gateway.use({ rules: [forwardRule('backend')], upstreams, policies });
}

/** Clients that ask again and again, until it is called; then how often each status was seen. */
function load(clients: number) {
  const seen = new Map<number, number>();
  let longest = 0;
  let over = false;
  const running = Array.from({ length: clients }, async () => {
    while (!over) {
      const begin = performance.now();
      const { status } = await ask();
      longest = Math.max(longest, performance.now() - begin);
      seen.set(status, (seen.get(status) ?? 0) + 1);
    }
  });
  return {
    seen: (status: number) => seen.get(status) ?? 0,
    async end() {
      over = true;
      await Promise.all(running);
      return { statuses: [...seen.keys()].sort(), longest };
    },
  };
}

describeRedis('a Redis that goes and comes', () => {
  beforeAll(async () => {
    backend = await startBackend();
    gateway = await startGatewayTo(backend);
  });
  beforeEach(async () => {
    redis = await startRedis();
    // Until it is connected the answer is 503.
    await serve(withRedis(redis, { redis: { timeout: '300ms' } }), limit);
  });
  afterEach(() => redis.close());
  afterAll(async () => {
    await gateway.close();
    await backend.close();
  });

  it('killed and started anew under load, lets no more through than it had, and once more', async () => {
    const clients = load(8);
    await expect.poll(() => clients.seen(200), patient).toBeGreaterThan(20);
    await redis.kill();
    await expect.poll(() => clients.seen(503), patient).toBeGreaterThan(50);
    expect(clients.seen(200)).toBeLessThanOrEqual(limit);
    const before = clients.seen(200);
    const refused = clients.seen(429);
    await redis.restart();
    // It has nothing on disk: all counters begin anew.
    await expect.poll(() => clients.seen(429), patient).toBeGreaterThan(refused + 50);
    const { statuses: seen } = await clients.end();
    expect(clients.seen(200) - before).toBeLessThanOrEqual(limit);
    expect(seen).toEqual([200, 429, 503]);
    expect(gateway.troubles()).toEqual([]);
  });

  it('that stands still keeps nobody waiting for long, and goes on where it stood', async () => {
    const clients = load(8);
    await expect.poll(() => clients.seen(200), patient).toBeGreaterThan(20);
    redis.pause();
    await expect.poll(() => clients.seen(503), patient).toBeGreaterThan(200);
    expect(gateway.troubles().map(({ reason }) => reason)).toEqual([
      expect.stringContaining('it does not answer within 300 ms'),
    ]);
    const refused = clients.seen(429);
    redis.resume();
    await expect.poll(() => clients.seen(429), patient).toBeGreaterThan(refused + 50);
    const { longest } = await clients.end();
    expect(clients.seen(200)).toBeLessThanOrEqual(limit);
    expect(longest).toBeLessThan(5000);
    // A busy machine may have an answer come late once more; that ends by itself.
    await expect.poll(() => gateway.troubles(), patient).toEqual([]);
  });

  it('is counted here meanwhile, where failureMode is Local', async () => {
    await serve(withRedis(redis, { failureMode: 'Local' }), 2);
    await expect.poll(() => gateway.metrics(), patient).toMatch(/"unavailable"\}/);
    await redis.kill();
    await expect.poll(() => gateway.troubles(), patient).toHaveLength(1);
    await serve(withRedis(redis, { failureMode: 'Local' }), 2);
    expect(await statuses(3)).toEqual([200, 200, 429]);
  });

  it('and counts in memory it has none of is told, until there is some', async () => {
    await expect.poll(async () => (await ask()).status, patient).toBe(200);
    // Less than an empty one takes.
    await redis.client.config('SET', 'maxmemory', '1');
    await expect.poll(async () => (await ask()).status, patient).toBe(503);
    await expect
      .poll(async () => {
        await ask();
        return gateway.troubles()[0]?.reason ?? '';
      }, patient)
      .toContain('it has no memory left');
    await redis.client.config('SET', 'maxmemory', '0');
    await expect.poll(async () => (await ask()).status, patient).toBe(200);
  });
});
