import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Counting } from '@gatehouse/crds';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAuthority } from '../../../testing/authority.ts';
import { type RawBackend, startBackend } from '../../../testing/backend.ts';
import { startGatewayTo, type TestGateway } from '../../../testing/gateway.ts';
import { patient } from '../../../testing/peer.ts';
import { describeRedis, redisCli, startRedis } from '../../../testing/redis.ts';
import { forwardRule, type TestPolicy } from '../../../testing/snapshot.ts';
import { asking, perHour, redisPolicy, withRedis } from './testing.ts';

let backend: RawBackend;
let gateway: TestGateway;
const { ask, statuses } = asking(() => gateway.port);
const status = async () => (await ask()).status;

async function serve(policies: TestPolicy[], entries?: Record<string, Record<string, string>>) {
  const upstreams = { backend: { endpoints: [{ port: backend.port }] } };
  const rules = [forwardRule('backend')];
  await gateway.use({ rules, upstreams, policies, ...(entries ? { entries } : {}) });
}

/** Waits until it counts there, by a policy of its own. */
async function warm(counting: Counting, entries?: Record<string, Record<string, string>>) {
  await serve([redisPolicy({ warm: perHour(1000) }, counting)], entries);
  await expect.poll(status, patient).toBe(200);
}

describeRedis('limits in Redis', () => {
  beforeAll(async () => {
    backend = await startBackend();
    gateway = await startGatewayTo(backend);
  });
  afterAll(async () => {
    await gateway.close();
    await backend.close();
  });

  it('of a cluster are found wherever their slots are', async () => {
    const nodes = await Promise.all([1, 2].map(() => startRedis(['--cluster-enabled', 'yes'])));
    const [first, second] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
    redisCli(first.port, 'CLUSTER', 'ADDSLOTSRANGE', '0', '8191');
    redisCli(second.port, 'CLUSTER', 'ADDSLOTSRANGE', '8192', '16383');
    redisCli(first.port, 'CLUSTER', 'MEET', '127.0.0.1', String(second.port));
    const good = () => nodes.every(({ port }) => redisCli(port, 'CLUSTER', 'INFO').includes('ok'));
    await expect.poll(good, patient).toBe(true);
    const counting = withRedis(first, { redis: { mode: 'Cluster' } });
    await warm(counting);
    // Several policies of one request: a question each, to whichever node has its slot.
    for (let i = 0; i < 6; i++) {
      const [wide, tight] = [
        redisPolicy({ wide: perHour(10) }, counting),
        redisPolicy({ tight: perHour(2), other: perHour(5) }, counting),
      ];
      const origins = [...wide.origins!, ...tight.origins!];
      const rules = [...wide.rules!, ...tight.rules!.map((rule) => ({ ...rule, origin: 1 }))];
      await serve([{ ...wide, origins, rules }]);
      const answers = [await ask(), await ask(), await ask()];
      expect(answers.map((answer) => answer.status)).toEqual([200, 200, 429]);
      // What the other node had taken is given back.
      expect(answers[2]!.field('ratelimit')).toContain('"wide";r=8;');
    }
    const used = nodes.map(({ port }) => Number(redisCli(port, 'DBSIZE')));
    expect(Math.min(...used)).toBeGreaterThan(0);
    // A slot that has moved is found by the answer of its old node.
    const policy = redisPolicy({ a: perHour(3) }, counting);
    await serve([policy]);
    expect(await status()).toBe(200);
    const [key = ''] = nodes
      .flatMap(({ port }) =>
        redisCli(port, '--scan', '--pattern', `*${policy.origins![0]!.name}*`)
          .split('\n')
          .slice(0, 1),
      )
      .filter((found) => found !== '');
    const slot = redisCli(first.port, 'CLUSTER', 'KEYSLOT', key).trim();
    const ids = nodes.map(({ port }) => redisCli(port, 'CLUSTER', 'MYID').trim());
    const [from, to] = Number(slot) < 8192 ? [0, 1] : [1, 0];
    const [source, target] = [nodes[from]!, nodes[to]!];
    redisCli(target.port, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[from]!);
    redisCli(source.port, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[to]!);
    redisCli(source.port, 'MIGRATE', '127.0.0.1', String(target.port), key, '0', '2000');
    for (const { port } of [target, source]) {
      redisCli(port, 'CLUSTER', 'SETSLOT', slot, 'NODE', ids[to]!);
    }
    expect(await statuses(3)).toEqual([200, 200, 429]);
    expect(gateway.troubles()).toEqual([]);
    await Promise.all(nodes.map((node) => node.close()));
  });

  it('behind sentinels follow the master', async () => {
    const master = await startRedis();
    const replica = await startRedis(['--replicaof', `127.0.0.1 ${master.port}`]);
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-sentinel-'));
    const config = join(folder, 'sentinel.conf');
    await writeFile(
      config,
      `sentinel monitor limits 127.0.0.1 ${master.port} 1\n` +
        'sentinel down-after-milliseconds limits 500\nsentinel failover-timeout limits 2000\n',
    );
    const sentinel = await startRedis([], {}, { sentinel: config });
    const counting = withRedis(sentinel, { redis: { mode: 'Sentinel', master: 'limits' } });
    await warm(counting);
    expect(Number(redisCli(master.port, 'DBSIZE'))).toBeGreaterThan(0);
    const replicas = () => redisCli(sentinel.port, 'SENTINEL', 'REPLICAS', 'limits');
    await expect.poll(replicas, patient).toContain(String(replica.port));
    await expect
      .poll(() => redisCli(master.port, 'INFO', 'replication'), patient)
      .toMatch(/slave0:.*state=online/);
    await serve([redisPolicy({ a: perHour(2) }, counting)]);
    expect(await statuses(1)).toEqual([200]);
    const copied = () => redisCli(replica.port, '--scan', '--pattern', '*:a:*');
    await expect.poll(copied, patient).not.toBe('');
    await master.kill();
    // The replica has the counters: one more, then none.
    await expect.poll(status, { timeout: 15_000, interval: 100 }).toBe(200);
    expect(await statuses(1)).toEqual([429]);
    await Promise.all([master, replica, sentinel].map((one) => one.close()));
    await rm(folder, { recursive: true });
  });

  it('and no sentinel that knows the master are told so', async () => {
    const sentinel = await startRedis();
    await serve([
      redisPolicy(
        { a: perHour(2) },
        withRedis(sentinel, { redis: { mode: 'Sentinel', master: 'x' } }),
      ),
    ]);
    await expect
      .poll(() => gateway.troubles()[0]?.reason, patient)
      .toContain('no sentinel answers, or none knows the master "x"');
    await sentinel.close();
  });

  it('over TLS are counted where the certificate is trusted, and has the right name', async () => {
    const authority = await createAuthority('CN=limits');
    const { cert, key } = await authority.issue('CN=redis', {
      names: [{ type: 'dns', value: 'redis.test' }],
    });
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-tls-'));
    const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    await Promise.all([writeFile(files.cert, cert), writeFile(files.key, key)]);
    const flags = ['--tls-cert-file', files.cert, '--tls-key-file', files.key];
    const redis = await startRedis(
      [...flags, '--tls-auth-clients', 'no', '--tls-ca-cert-file', files.cert],
      { tls: { ca: authority.cert } },
    );
    const tls = (serverName: string, trusted = true): Counting =>
      withRedis(redis, {
        redis: { tls: { serverName, ...(trusted ? { caSecretRef: { name: 'ca' } } : {}) } },
      });
    const entries = { 'policy/default/ca/ca.crt': { 'ca.crt': authority.cert } };
    await warm(tls('redis.test'), entries);
    const reason = () => gateway.troubles()[0]?.reason ?? '';
    await serve([redisPolicy({ a: perHour(2) }, tls('other.test'))], entries);
    await expect.poll(reason, patient).toContain('has a certificate for another name');
    await serve([redisPolicy({ a: perHour(2) }, tls('redis.test', false))], entries);
    await expect.poll(reason, patient).toContain('has a certificate that is not trusted');
    await serve([redisPolicy({ a: perHour(2) }, withRedis(redis))]);
    await expect.poll(reason, patient).toMatch(/closes the connection: .* TLS only/);
    await redis.close();
    const plain = await startRedis();
    await serve([redisPolicy({ a: perHour(2) }, withRedis(plain, { redis: { tls: {} } }))]);
    await expect.poll(reason, patient).toMatch(/does not speak TLS|cannot be reached/);
    await plain.close();
    await rm(folder, { recursive: true });
  });
});
