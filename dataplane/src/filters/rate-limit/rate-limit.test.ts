import type { Limit } from '@gatehouse/crds';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RawBackend, startBackend } from '../../testing/backend.ts';
import { connectTo } from '../../testing/client.ts';
import { startGatewayTo, type TestGateway } from '../../testing/gateway.ts';
import { statusOf, valuesOf } from '../../testing/message.ts';
import { patient } from '../../testing/peer.ts';
import { forwardRule, type TestPolicy } from '../../testing/snapshot.ts';
import { addressKey } from './client-address.ts';

let backend: RawBackend;
let gateway: TestGateway;

beforeAll(async () => {
  backend = await startBackend();
  gateway = await startGatewayTo(backend);
});
beforeEach(() => backend.reset());
afterAll(async () => {
  await gateway.close();
  await backend.close();
});

let serial = 0;
/** A policy of a name of its own, so that each test has counters of its own. */
function policyOf(limits: Record<string, Limit>, more: Partial<TestPolicy> = {}): TestPolicy {
  const target = 'Gateway/default/test';
  return {
    kind: 'RateLimitPolicy',
    origins: [{ name: `default/policy-${serial++}` }],
    rules: Object.entries(limits).map(([name, config]) => {
      return { block: 'limits', name, target, config };
    }),
    ...more,
  };
}

const rules = [
  forwardRule('backend', { name: 'all' }),
  forwardRule('backend', { name: 'a', prefix: '/a' }),
];

async function serve(...policies: TestPolicy[]) {
  const upstreams = { backend: { endpoints: [{ port: backend.port }] } };
  await gateway.use({ rules, upstreams, policies });
}

async function ask(path = '/', lines = '') {
  const client = await connectTo(gateway.port);
  client.write(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n`);
  const answer = await client.message();
  client.end();
  const field = (name: string) => valuesOf(answer.fields, name)[0];
  return { status: statusOf(answer), body: answer.body.toString(), field };
}

async function statuses(count: number, path?: string, lines?: string) {
  const seen = [];
  for (let i = 0; i < count; i++) seen.push((await ask(path, lines)).status);
  return seen;
}

const perHour = (limit: number, more: Partial<Limit> = {}): Limit => ({
  rates: [{ limit, window: '1h' }],
  ...more,
});

describe('a limit', () => {
  it('lets so many through, and tells with each answer what is left', async () => {
    await serve(policyOf({ 'per-user': perHour(2) }));
    const [first, second, third] = [await ask(), await ask(), await ask()];
    expect([first, second, third].map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(third.body).toBe('{"error":"Rate limit exceeded"}');
    expect([first, second, third].map(({ field }) => field('x-ratelimit-remaining'))).toEqual([
      '1',
      '0',
      '0',
    ]);
    expect(first.field('x-ratelimit-limit')).toBe('2');
    expect(first.field('x-ratelimit-reset')).toBe('1800');
    expect(first.field('ratelimit-policy')).toBe('"per-user";q=2;w=3600');
    expect(first.field('ratelimit')).toBe('"per-user";r=1;t=1800');
    expect(first.field('retry-after')).toBeUndefined();
    expect(third.field('retry-after')).toBe('1800');
    expect(backend.requests).toHaveLength(2);
  });

  it('of 0 lets nothing through, and gives no hope', async () => {
    await serve(policyOf({ none: perHour(0) }));
    const { status, field } = await ask();
    expect([status, field('retry-after'), field('x-ratelimit-limit')]).toEqual([
      429,
      undefined,
      '0',
    ]);
  });

  it('with a burst lets that through at once', async () => {
    await serve(policyOf({ a: perHour(1, { burst: 3 }) }));
    expect(await statuses(4)).toEqual([200, 200, 200, 429]);
  });

  it('of several rates keeps all', async () => {
    const rates = [
      { limit: 5, window: '1h' },
      { limit: 2, window: '30m' },
    ];
    await serve(policyOf({ a: { rates } }));
    expect(await statuses(3)).toEqual([200, 200, 429]);
  });

  it('counts apart what its counters tell apart', async () => {
    const counters = ['request.headers["x-tenant"]'];
    await serve(policyOf({ a: perHour(1, { counters }) }));
    expect(await statuses(2, '/', 'x-tenant: one\r\n')).toEqual([200, 429]);
    expect(await statuses(2, '/', 'x-tenant: two\r\n')).toEqual([200, 429]);
    // Without the header there is no value, and that is one counter, too.
    expect(await statuses(2)).toEqual([200, 429]);
  });

  it('costs what its expression says', async () => {
    await serve(policyOf({ a: perHour(10, { cost: 'request.path == "/a" ? 4 : 1' }) }));
    expect(await statuses(3, '/a')).toEqual([200, 200, 429]);
    expect(await statuses(3)).toEqual([200, 200, 429]);
  });

  it('counts only requests for which it is meant', async () => {
    await serve(policyOf({ a: perHour(1, { when: 'request.path.startsWith("/a")' }) }));
    expect(await statuses(3)).toEqual([200, 200, 200]);
    expect(await statuses(2, '/a')).toEqual([200, 429]);
  });

  it('of a Gateway is one for all its routes, met in a scope of its own or not', async () => {
    const policy = policyOf({ a: perHour(3) });
    await serve(policy, { ...policy, scope: 'default/test/0/default/test/a' });
    expect(await statuses(2, '/a')).toEqual([200, 200]);
    expect(await statuses(2)).toEqual([200, 429]);
  });

  it('keeps its counters when it changes', async () => {
    const policy = policyOf({ a: perHour(2) });
    await serve(policy);
    expect(await statuses(2)).toEqual([200, 200]);
    await serve({ ...policy, guarded: ['x-a'] });
    expect((await ask()).status).toBe(429);
  });

  it('is counted and not enforced in shadow', async () => {
    const policy = policyOf({ a: perHour(1) });
    const origins = policy.origins!.map((origin) => ({ ...origin, shadow: true }));
    await serve({ ...policy, origins });
    const answers = [await ask(), await ask()];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers.map(({ field }) => field('ratelimit'))).toEqual([undefined, undefined]);
    expect(gateway.metrics()).toMatch(/rule="limits\/a",decision="shadow_denied"\} 1/);
  });
});

describe('several limits', () => {
  it('are all told; the tightest decides, and costs the others nothing', async () => {
    await serve(policyOf({ tight: perHour(1), wide: perHour(4) }));
    const first = await ask();
    expect(first.field('ratelimit')).toBe('"tight";r=0;t=3600, "wide";r=3;t=900');
    expect(first.field('x-ratelimit-limit')).toBe('1');
    expect(await statuses(2)).toEqual([429, 429]);
    const { field } = await ask();
    expect(field('ratelimit')).toContain('"wide";r=3;');
  });
});

describe('concurrency', () => {
  it('is given back when an exchange ends, whatever ends it', async () => {
    await serve(policyOf({ a: { concurrency: 1 } }));
    // Without its body the request stays under way.
    const head = 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\n';
    const first = await connectTo(gateway.port);
    first.write(head);
    const status = async () => (await ask()).status;
    // Nobody asks before it is through: it could be refused itself.
    const waiting = () => backend.connections.filter(({ bytes }) => bytes.includes('POST')).length;
    await expect.poll(waiting, patient).toBe(1);
    expect(await status()).toBe(429);
    first.write('12345');
    await first.message();
    await expect.poll(status, patient).toBe(200);
    first.write(head);
    await expect.poll(waiting, patient).toBe(1);
    expect(await status()).toBe(429);
    first.socket.destroy();
    await expect.poll(status, patient).toBe(200);
  });
});

it.each([
  ['192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:DB8:0001:2::', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::ffff:1.2.3.4', '0:0:0:0'],
  ['', ''],
])('an address %s is counted as %s', (address, key) => {
  expect(addressKey(address)).toBe(key);
});
