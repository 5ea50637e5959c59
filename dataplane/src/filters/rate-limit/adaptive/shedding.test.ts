import type { Limit } from '@gatehouse/crds';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answering, type RawBackend, startBackend } from '../../../testing/backend.ts';
import { startGatewayTo, type TestGateway } from '../../../testing/gateway.ts';
import { patient } from '../../../testing/peer.ts';
import { forwardRule, type TestPolicy } from '../../../testing/snapshot.ts';
import { asking, redisPolicy } from '../redis/testing.ts';

let good: RawBackend;
let bad: RawBackend;
let gateway: TestGateway;
const { ask } = asking(() => gateway.port);

beforeAll(async () => {
  good = await startBackend();
  bad = await startBackend(answering('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n'));
  gateway = await startGatewayTo(good);
});
beforeEach(() => {
  good.reset();
  bad.reset();
});
afterAll(async () => {
  await gateway.close();
  await good.close();
  await bad.close();
});

/** `/good` and `/bad` lead to backends that are named so. */
async function serve(adaptive: NonNullable<Limit['adaptive']>) {
  const limit: Limit = { rates: [{ limit: 1000, window: '1h' }], counters: [], adaptive };
  const { rules = [], ...policy } = redisPolicy({ a: limit }, {});
  const policies: TestPolicy[] = [
    { ...policy, rules: rules.filter(({ block }) => block === 'limits') },
  ];
  const upstreams = {
    good: { endpoints: [{ port: good.port }] },
    bad: { endpoints: [{ port: bad.port }] },
  };
  const paths = [
    forwardRule('good', { prefix: '/good' }),
    forwardRule('bad', { prefix: '/bad' }),
    forwardRule({ good: 1, bad: 1 }, { prefix: '/both' }),
  ];
  await gateway.use({ rules: paths, upstreams, policies });
  return policy.origins![0]!.name;
}

const limitAt = async (path: string, lines?: string) =>
  Number((await ask(path, lines)).field('x-ratelimit-limit'));
const factorOf = (service: string) =>
  Number(
    new RegExp(`gatehouse_rate_limit_adaptive_factor\\{.*service="${service}"\\} ([\\d.]+)`).exec(
      gateway.metrics(),
    )?.[1] ?? Number.NaN,
  );

describe('an adaptive limit', () => {
  it('shrinks for a backend that fails, and for no other; those with priority keep more', async () => {
    const priority = '"x-gold" in request.headers ? 1.0 : 0.0';
    const policy = await serve({ minimum: 10, errors: 20, priority });
    expect([await limitAt('/good'), await limitAt('/bad')]).toEqual([1000, 1000]);
    await expect
      .poll(async () => {
        await Promise.all(Array.from({ length: 5 }, () => limitAt('/bad')));
        return limitAt('/bad');
      }, patient)
      .toBeLessThan(500);
    expect(await limitAt('/good')).toBe(1000);
    expect(await limitAt('/bad', 'x-gold: 1\r\n')).toBe(1000);
    await expect.poll(() => factorOf('bad'), patient).toBeLessThan(0.5);
    expect(factorOf('good')).toBe(1);
    // Of both each counts by its share.
    for (let i = 0; i < 10; i++) await ask('/both');
    const both = await limitAt('/both');
    expect(both).toBeGreaterThan(await limitAt('/bad'));
    expect(both).toBeLessThan(1000);
    expect(gateway.troubles()).toEqual([
      {
        policy: 'RateLimitPolicy/default/test/0',
        path: 'limits[a].adaptive',
        reason: 'The limit "a" is below its size: the service "bad" fails too often',
        notice: true,
      },
    ]);
    // Without the policy nothing is told any more.
    await serve({ minimum: 10, errors: 20 });
    expect(gateway.troubles()).toEqual([]);
    const series = `adaptive_factor{policy="${policy}"`;
    await expect.poll(() => gateway.metrics(), patient).not.toContain(series);
  });

  it('never shrinks below its minimum', async () => {
    await serve({ minimum: 60, errors: 20 });
    await limitAt('/bad');
    await expect
      .poll(async () => {
        await Promise.all(Array.from({ length: 5 }, () => limitAt('/bad')));
        return limitAt('/bad');
      }, patient)
      .toBe(600);
  });
});
