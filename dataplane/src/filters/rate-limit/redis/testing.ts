import type { Counting, Limit } from '@gatehouse/crds';
import { connectTo } from '../../../testing/client.ts';
import { statusOf, valuesOf } from '../../../testing/message.ts';
import type { TestRedis } from '../../../testing/redis.ts';
import type { TestPolicy } from '../../../testing/snapshot.ts';

/** Time enough for a machine that does much else: nothing here is about how fast an answer comes. */
const timeout = '2s';

export const perHour = (limit: number, more: Partial<Limit> = {}): Limit => ({
  rates: [{ limit, window: '1h' }],
  ...more,
});

export function withRedis(
  { address }: Pick<TestRedis, 'address'>,
  more: Omit<Partial<Counting>, 'redis'> & { redis?: Partial<NonNullable<Counting['redis']>> } = {},
): Counting {
  return {
    store: 'Redis',
    failureMode: 'Closed',
    ...more,
    redis: { addresses: [address], withoutPassword: true, timeout, ...more.redis },
  };
}

let serial = 0;

/** A policy of a name of its own, so that each test has counters of its own. */
export function redisPolicy(
  limits: Record<string, Limit>,
  counting: Counting,
  more: Partial<TestPolicy> = {},
): TestPolicy {
  const target = 'Gateway/default/test';
  const name = `default/redis-${process.pid}-${serial++}`;
  return {
    kind: 'RateLimitPolicy',
    origins: [{ name }],
    rules: [
      ...Object.entries(limits).map(([limit, config]) => ({
        block: 'limits',
        name: limit,
        target,
        config,
      })),
      { block: 'counting', name, target, config: counting },
    ],
    ...more,
  };
}

/** Sends requests, each on a connection of its own. */
export function asking(port: () => number) {
  async function ask(path = '/', lines = '') {
    const client = await connectTo(port());
    client.write(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n`);
    const answer = await client.message();
    client.end();
    const field = (name: string) => valuesOf(answer.fields, name)[0];
    return { status: statusOf(answer), body: answer.body.toString(), field };
  }
  async function statuses(count: number, path?: string, lines?: string) {
    const seen: number[] = [];
    for (let i = 0; i < count; i++) seen.push((await ask(path, lines)).status);
    return seen;
  }
  return { ask, statuses };
}
