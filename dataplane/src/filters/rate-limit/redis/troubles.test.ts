import type { Counting } from '@gatehouse/crds';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RawBackend, startBackend } from '../../../testing/backend.ts';
import { startGatewayTo, type TestGateway } from '../../../testing/gateway.ts';
import { patient } from '../../../testing/peer.ts';
import { describeRedis, freePort, redisCli, startRedis } from '../../../testing/redis.ts';
import { forwardRule } from '../../../testing/snapshot.ts';
import { startScripted } from './scripted-server.ts';
import { asking, perHour, redisPolicy, withRedis } from './testing.ts';

const password = 'do-not-tell-anybody';
const secretName = 'policy/default/redis/password';

let backend: RawBackend;
let gateway: TestGateway;
const { ask, statuses } = asking(() => gateway.port);

beforeAll(async () => {
  backend = await startBackend();
  gateway = await startGatewayTo(backend);
});
afterAll(async () => {
  await gateway.close();
  await backend.close();
});

async function serve(counting: Counting, entries?: Record<string, Record<string, string>>) {
  const upstreams = { backend: { endpoints: [{ port: backend.port }] } };
  const policies = [redisPolicy({ a: perHour(2) }, counting)];
  const rules = [forwardRule('backend')];
  await gateway.use({ rules, upstreams, policies, ...(entries ? { entries } : {}) });
}

const reasons = () => gateway.troubles().map(({ reason }) => reason);
/** Waits until it is told what is wrong, which never holds the password. */
async function told(text: string | RegExp) {
  await expect.poll(() => reasons()[0] ?? '', patient).toMatch(text);
  expect(JSON.stringify(gateway.troubles())).not.toContain(password);
}

const usingPassword = { redis: { passwordSecretRef: { name: 'redis' } } };
function withPassword(
  address: string,
  more: Partial<NonNullable<Counting['redis']>> = {},
): Counting {
  const { withoutPassword: _, ...redis } = withRedis({ address }).redis!;
  return { ...withRedis({ address }), redis: { ...redis, ...usingPassword.redis, ...more } };
}

describe('a Redis that is not there', () => {
  it.each([
    ['Open', [200, 200, 200], 'let everything through meanwhile'],
    ['Closed', [503, 503, 503], 'answered by 503 meanwhile'],
    ['Local', [200, 200, 429], 'counts by itself meanwhile'],
  ] as const)(
    'counts as %s says from the first request on',
    async (failureMode, expected, text) => {
      const address = `127.0.0.1:${await freePort()}`;
      await serve(withRedis({ address }, { failureMode }));
      const begin = performance.now();
      expect(await statuses(3)).toEqual(expected);
      // Nobody waits for a connection: the timeout is 2 s.
      expect(performance.now() - begin).toBeLessThan(1500);
      await told(`Cannot count in Redis "${address}": it cannot be reached; `);
      expect(reasons()[0]).toContain(text);
      expect(gateway.troubles()[0]!.path).toMatch(/^counting\[default\/redis-.*\]\.redis$/);
    },
  );

  it('is told by a body', async () => {
    await serve(withRedis({ address: `127.0.0.1:${await freePort()}` }));
    expect((await ask()).body).toBe('{"error":"Rate limit unavailable"}');
    expect(gateway.metrics()).toMatch(/rule="limits\/a",decision="error"\} 1/);
  });

  it('is no trouble any more when its policy is gone', async () => {
    await serve(withRedis({ address: `127.0.0.1:${await freePort()}` }));
    await told('cannot be reached');
    await gateway.use({
      rules: [forwardRule('backend')],
      upstreams: { backend: { endpoints: [] } },
    });
    expect(gateway.troubles()).toEqual([]);
  });

  it('and whose Secret is missing is told so', async () => {
    await serve(withPassword('127.0.0.1:1'));
    await told('the Secret "default/redis" has no entry "password"');
    expect(await statuses(1)).toEqual([503]);
  });
});

describe('what is no Redis', () => {
  it.each([
    ['speaks HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n', /answers what no Redis would/],
    ['answers OK to everything', '+OK\r\n', /answers what no Redis would/],
    [
      'nests lists for ever',
      '*1\r\n'.repeat(100_000),
      /answers what no Redis would|does not answer/,
    ],
    [
      'names numbers that are none',
      '*6\r\n:1\r\n:1\r\n:1\r\n$1\r\nx\r\n:1\r\n:1\r\n',
      /answers what/,
    ],
    ['loads', '-LOADING Redis is loading the dataset in memory\r\n', /it loads its data/],
    ['is full', '-OOM command not allowed when used memory > maxmemory\r\n', /no memory left/],
    ['fails otherwise', `-WEIRD ${password}\r\n`, /answers with an error \(WEIRD\)/],
  ])('and %s is told, and nothing waits for it', async (_, answer, text) => {
    const server = await startScripted((socket) => socket.write(answer));
    await serve(withRedis(server, { redis: { timeout: '200ms' } }));
    await told(text);
    expect(await statuses(2)).toEqual([503, 503]);
    await server.close();
  });

  it('and says nothing is given up in time, then not asked any more', async () => {
    let asked = 0;
    const server = await startScripted(() => asked++);
    await serve(withRedis(server, { redis: { timeout: '50ms' } }));
    await told('it does not answer within 50 ms');
    const begin = performance.now();
    expect(await statuses(20)).toEqual(Array(20).fill(503));
    expect(performance.now() - begin).toBeLessThan(900);
    expect(asked).toBeLessThan(5);
    await server.close();
  });
});

describeRedis('a Redis that refuses', () => {
  it('for want of a password', async () => {
    const redis = await startRedis(['--requirepass', password], { password });
    await serve(withRedis(redis));
    await told('it asks for a password: give passwordSecretRef');
    expect(await statuses(1)).toEqual([503]);
    await redis.close();
  });

  it('for a wrong password, and lets in by the right one', async () => {
    const redis = await startRedis(['--requirepass', 'another'], { password: 'another' });
    const counting = withPassword(redis.address);
    await serve(counting, { [secretName]: { password } });
    await told('it refuses user and password');
    await serve(counting, { [secretName]: { password: 'another\n' } });
    await expect.poll(async () => (await ask()).status, patient).toBe(200);
    expect(gateway.troubles()).toEqual([]);
    await redis.close();
  });

  it('a user of its own that may not write, and lets in one with the rights that are documented', async () => {
    const redis = await startRedis();
    const rights = [
      'on',
      `>${password}`,
      'resetkeys',
      '-@all',
      '+eval',
      '+evalsha',
      '+time',
      '+get',
    ];
    await redis.client.acl('SETUSER', 'limits', ...rights, '~gatehouse:*');
    const counting = withPassword(redis.address, { username: 'limits' });
    await serve(counting, { [secretName]: { password } });
    await told(/does not let this user run the script: allow \+eval .*\+set/);
    await redis.client.acl('SETUSER', 'limits', '+set');
    await expect.poll(() => ask().then(({ status }) => status), patient).toBe(200);
    expect(gateway.troubles()).toEqual([]);
    await redis.close();
  });

  it('AUTH itself, whose answer quotes the password', async () => {
    const redis = await startRedis(['--rename-command', 'AUTH', '']);
    await serve(withPassword(redis.address), { [secretName]: { password } });
    await told('it lacks a command');
    await redis.close();
  });

  it('writes, as a replica does', async () => {
    const master = await startRedis();
    const redis = await startRedis(['--replicaof', `127.0.0.1 ${master.port}`]);
    await serve(withRedis(redis));
    await told('it is a read-only replica');
    expect(await statuses(1)).toEqual([503]);
    redisCli(redis.port, 'REPLICAOF', 'NO', 'ONE');
    await expect.poll(() => ask().then(({ status }) => status), patient).toBe(200);
    await redis.close();
    await master.close();
  });

  it('keys of another node of its cluster', async () => {
    const redis = await startRedis(['--cluster-enabled', 'yes']);
    await serve(withRedis(redis));
    await told('says that its cluster is down');
    const other = await startRedis(['--cluster-enabled', 'yes']);
    redisCli(other.port, 'CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    redisCli(redis.port, 'CLUSTER', 'MEET', '127.0.0.1', String(other.port));
    await told('it is part of a cluster: set mode: Cluster');
    await redis.close();
    await other.close();
  });

  it('to be a cluster', async () => {
    const redis = await startRedis();
    await serve(withRedis(redis, { redis: { mode: 'Cluster' } }));
    await told('it is no cluster: set mode: Single');
    await redis.close();
  });

  it('to hold anything else under our keys', async () => {
    const redis = await startRedis();
    await redis.client.lpush('gatehouse:{probe}:probe', 'x');
    await serve(withRedis(redis));
    await told('it has other data under our keys');
    await redis.close();
  });
});
