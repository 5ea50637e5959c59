import type { Counting, Limit } from '@gatehouse/crds';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RawBackend, startBackend } from '../../../testing/backend.ts';
import { startGatewayTo, type TestGateway } from '../../../testing/gateway.ts';
import { patient } from '../../../testing/peer.ts';
import { describeRedis, startRedis, type TestRedis } from '../../../testing/redis.ts';
import { forwardRule, type TestPolicy } from '../../../testing/snapshot.ts';
import { asking, perHour, redisPolicy, withRedis } from './testing.ts';

let backend: RawBackend;
let gateway: TestGateway;
let redis: TestRedis;
const { ask, statuses } = asking(() => gateway.port);

const rules = [
  forwardRule('backend', { name: 'all' }),
  forwardRule('backend', { name: 'a', prefix: '/a' }),
];

async function use(...policies: TestPolicy[]) {
  const upstreams = { backend: { endpoints: [{ port: backend.port }] } };
  await gateway.use({ rules, upstreams, policies });
}

/** Serves by a policy, once Redis can be asked: the connection is the one of the policy before. */
async function serve(limits: Record<string, Limit>, counting: Counting = withRedis(redis)) {
  await use(redisPolicy({ warm: perHour(1000) }, counting));
  await expect.poll(async () => (await ask()).status, patient).toBe(200);
  const policy = redisPolicy(limits, counting);
  await use(policy);
  return policy;
}

/** Questions by their outcome. */
function questions(outcome: string): number {
  const found = new RegExp(`^gatehouse_rate_limit_redis_total\\{.*"${outcome}"\\} (\\d+)`, 'm');
  return Number(found.exec(gateway.metrics())?.[1] ?? 0);
}

describeRedis('limits in Redis', () => {
  beforeAll(async () => {
    redis = await startRedis();
    backend = await startBackend();
    gateway = await startGatewayTo(backend);
  });
  afterAll(async () => {
    await gateway.close();
    await backend.close();
    await redis.close();
  });

  it('are counted there, told and refused', async () => {
    await serve({ a: perHour(2) });
    backend.reset();
    const answers = [await ask(), await ask(), await ask()];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers[2]!.body).toBe('{"error":"Rate limit exceeded"}');
    expect(answers.map(({ field }) => field('x-ratelimit-remaining'))).toEqual(['1', '0', '0']);
    expect(answers[0]!.field('ratelimit')).toBe('"a";r=1;t=1800');
    expect(answers[2]!.field('retry-after')).toBe('1800');
    expect(backend.requests).toHaveLength(2);
  });

  it('of several policies and rates take one question a request', async () => {
    await serve({});
    const rates = [
      { limit: 5, window: '1h' },
      { limit: 4, window: '30m' },
    ];
    const wide = redisPolicy({ wide: perHour(100), two: { rates } }, withRedis(redis));
    const tight = redisPolicy({ tight: perHour(3) }, withRedis(redis));
    const origins = [...wide.origins!, ...tight.origins!];
    const both = [...wide.rules!, ...tight.rules!.map((rule) => ({ ...rule, origin: 1 }))];
    await use({ ...wide, origins, rules: both });
    const before = questions('answered');
    const answers = [await ask(), await ask(), await ask(), await ask()];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(questions('answered') - before).toBe(4);
    // What was refused by one has cost the others nothing.
    expect(answers[3]!.field('ratelimit')).toContain('"wide";r=97;');
  });

  it('spare a client that is far over its limit the question', async () => {
    await serve({ a: perHour(1) });
    expect(await statuses(2)).toEqual([200, 429]);
    const before = questions('answered');
    const spared = questions('spared');
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask()));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(429));
    expect(answers[0]!.field('x-ratelimit-remaining')).toBe('0');
    expect(Number(answers[0]!.field('retry-after'))).toBeGreaterThan(3500);
    expect(questions('answered')).toBe(before);
    expect(questions('spared') - spared).toBe(10);
  });

  it('let through what costs less than what was refused', async () => {
    await serve({ a: perHour(10, { cost: 'request.path == "/a" ? 6 : 1' }) });
    expect(await statuses(2, '/a')).toEqual([200, 429]);
    expect(await statuses(5)).toEqual([200, 200, 200, 200, 429]);
  });

  it('count apart what counters tell apart, and keep no value that can be read', async () => {
    await serve({ a: perHour(1, { counters: ['request.headers["x-tenant"]'] }) });
    expect(await statuses(2, '/', 'x-tenant: one\r\n')).toEqual([200, 429]);
    expect(await statuses(2, '/', 'x-tenant: two\r\n')).toEqual([200, 429]);
    const keys = (await redis.client.keys('gatehouse:*')).filter((key) => key.includes(':a:'));
    expect(keys.join()).not.toMatch(/one|two/);
    expect(keys[0]).toMatch(/^gatehouse:\{default\/redis-.*@Gateway\/default\/test\}:a:T0:/);
  });

  it.each(['FixedWindow', 'SlidingWindow'] as const)(
    'of %s keep their limit',
    async (algorithm) => {
      await serve({ a: perHour(2, { algorithm }) });
      expect(await statuses(3)).toEqual([200, 200, 429]);
    },
  );

  it('of 0 let nothing through', async () => {
    await serve({ a: perHour(0) });
    const { status, field } = await ask();
    expect([status, field('retry-after')]).toEqual([429, undefined]);
  });

  it('give back what was taken here when Redis refuses, and there when it is refused here', async () => {
    const counting = withRedis(redis);
    await serve({});
    const far = redisPolicy({ far: perHour(2) }, counting);
    const { rules: all, ...named } = redisPolicy({ near: perHour(4) }, counting);
    const near = { ...named, rules: all!.filter(({ block }) => block === 'limits') };
    const rulesOf = (origin: number, policy: TestPolicy) =>
      policy.rules!.map((rule) => ({ ...rule, origin }));
    const both: TestPolicy = {
      ...far,
      origins: [...far.origins!, ...near.origins!],
      rules: [...rulesOf(0, far), ...rulesOf(1, near)],
    };
    await use(both);
    expect(await statuses(5)).toEqual([200, 200, 429, 429, 429]);
    await use(near);
    expect(await statuses(3)).toEqual([200, 200, 429]);
  });

  it('hold concurrency in the data plane, and give it back when Redis refuses', async () => {
    await serve({ rate: perHour(1), once: { concurrency: 1 } });
    expect(await statuses(3)).toEqual([200, 429, 429]);
    await serve({ once: { concurrency: 1 } });
    expect(await statuses(2)).toEqual([200, 200]);
  });

  it('are exact for clients that come together', async () => {
    await serve({ a: perHour(20) });
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask()));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(40);
  });

  it('are judged and not enforced in shadow', async () => {
    await serve({});
    const policy = redisPolicy({ a: perHour(1) }, withRedis(redis));
    await use({ ...policy, origins: policy.origins!.map((one) => ({ ...one, shadow: true })) });
    expect(await statuses(3)).toEqual([200, 200, 200]);
    expect(gateway.metrics()).toMatch(/rule="limits\/a",decision="shadow_denied"\} 2/);
  });

  it('go on when Redis has forgotten the script', async () => {
    await serve({ a: perHour(3) });
    expect((await ask()).status).toBe(200);
    await redis.client.script('FLUSH');
    expect(await statuses(3)).toEqual([200, 200, 429]);
    expect(gateway.troubles()).toEqual([]);
  });
});
