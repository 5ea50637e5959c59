import { Balancing_Algorithm } from '@gatehouse/snapshot';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RawBackend, refusedPort, startBackend } from '../testing/backend.ts';
import { connectTo } from '../testing/client.ts';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import { type Message, statusOf, valuesOf } from '../testing/message.ts';
import type { Peer } from '../testing/peer.ts';
import { forwardRule, type TestUpstream } from '../testing/snapshot.ts';

const names = ['one', 'two', 'three'];
const backends: RawBackend[] = [];
let gateway: TestGateway;

beforeAll(async () => {
  for (const name of names) {
    const text = `HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`;
    backends.push(await startBackend({ request: (_request, peer) => peer.write(text) }));
  }
});
afterEach(() => gateway.close());
afterAll(() => Promise.all(backends.map((backend) => backend.close())));

const endpoints = () => backends.map(({ port }) => ({ port }));

async function start(more: TestUpstream['more'], list = endpoints()) {
  gateway = await startGateway({
    rules: [forwardRule('up')],
    upstreams: { up: { endpoints: list, more } },
  });
  return connectTo(gateway.port);
}

async function ask(client: Peer, fields = ''): Promise<Message> {
  client.write(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
  const answer = await client.message();
  expect(statusOf(answer)).toBe(200);
  return answer;
}

async function served(client: Peer, count: number, fields = ''): Promise<string[]> {
  const by: string[] = [];
  for (let i = 0; i < count; i++) by.push((await ask(client, fields)).body.toString());
  return by;
}

describe.each([
  ['RingHash', Balancing_Algorithm.RING_HASH],
  ['Maglev', Balancing_Algorithm.MAGLEV],
])('%s', (_, algorithm) => {
  const key = 'request.headers["x-user"]';

  it('sends the same key to the same endpoint, and keys to all of them', async () => {
    const client = await start({ balancing: { algorithm, key } });
    const seen = new Set<string>();
    for (let user = 0; user < 10 || (seen.size < 3 && user < 500); user++) {
      const by = new Set(await served(client, 3, `x-user: ${user}\r\n`));
      expect(by.size).toBe(1);
      for (const name of by) seen.add(name);
    }
    expect([...seen].sort()).toEqual([...names].sort());
    client.end();
  });

  it('sends requests without a key anywhere', async () => {
    const client = await start({ balancing: { algorithm, key } });
    for (const fields of ['', 'x-user:\r\n']) {
      const seen = new Set<string>();
      for (let i = 0; seen.size < 3 && i < 500; i++) {
        for (const name of await served(client, 1, fields)) seen.add(name);
      }
      expect(seen.size).toBe(3);
    }
    client.end();
  });

  it('goes by an address, a query, or several values', async () => {
    for (const text of ['client.address', 'request.path', '["a", request.host]', '"fixed"']) {
      const client = await start({ balancing: { algorithm, key: text } });
      expect(new Set(await served(client, 5)).size).toBe(1);
      client.end();
      await gateway.close();
    }
    (await start({})).end();
  });

  it('moves on from an endpoint that cannot be reached', async () => {
    const dead = { port: await refusedPort() };
    const client = await start({ balancing: { algorithm, key } }, [...endpoints(), dead]);
    for (let user = 0; user < 30; user++) await ask(client, `x-user: ${user}\r\n`);
    client.end();
  });
});

describe('a sticky session', () => {
  const balancing = {
    sticky: { cookie: 'at', path: '/shop', ttlSeconds: 60, seed: Buffer.from('seed') },
  };
  const cookieOf = (answer: Message) => valuesOf(answer.fields, 'set-cookie')[0];
  const tagOf = (answer: Message) => /^at=([^;]+)/.exec(cookieOf(answer) ?? '')?.[1];

  it('keeps a client with the endpoint that served it first', async () => {
    const client = await start({ balancing });
    const first = await ask(client);
    expect(cookieOf(first)).toMatch(
      /^at=[\w-]{16}; Path=\/shop; Max-Age=60; HttpOnly; SameSite=Lax$/,
    );
    const name = first.body.toString();
    const cookie = `Cookie: a=b; at=${tagOf(first)};c=d\r\n`;
    expect(await served(client, 5, cookie)).toEqual(Array(5).fill(name));
    expect(cookieOf(await ask(client, cookie))).toBeUndefined();
    // Others are shared out meanwhile.
    expect(new Set(await served(client, 6)).size).toBe(3);
    client.end();
  });

  it('tells nothing of addresses, and the same on every data plane', async () => {
    const client = await start({ balancing });
    const tags = new Map<string, string>();
    for (let i = 0; i < 6; i++) {
      const answer = await ask(client);
      tags.set(answer.body.toString(), tagOf(answer) ?? '');
    }
    client.end();
    await gateway.close();
    const other = await start({ balancing });
    for (let i = 0; i < 6; i++) {
      const answer = await ask(other);
      expect(tagOf(answer)).toBe(tags.get(answer.body.toString()));
    }
    other.end();
    await gateway.close();
    const seed = Buffer.from('another');
    const third = await start({ balancing: { sticky: { ...balancing.sticky, seed } } });
    expect([...tags.values()]).not.toContain(tagOf(await ask(third)));
    third.end();
  });

  it.each([
    ['a strange cookie', 'Cookie: at=AAAAAAAAAAAAAAAA\r\n'],
    ['an empty cookie', 'Cookie: at=\r\n'],
    ['no value', 'Cookie: at\r\n'],
    ['another cookie', 'Cookie: bat=1; xat=2\r\n'],
  ])('begins anew with %s', async (_, fields) => {
    const client = await start({ balancing });
    expect(cookieOf(await ask(client, fields))).toMatch(/^at=/);
    client.end();
  });

  it('goes on with another endpoint when its own cannot be reached', async () => {
    const client = await start({ balancing });
    const first = await ask(client);
    const gone = names.indexOf(first.body.toString());
    const cookie = `Cookie: at=${tagOf(first)}\r\n`;
    const { port } = backends[gone]!;
    await backends[gone]!.close();
    const second = await ask(client, cookie);
    expect(second.body.toString()).not.toBe(names[gone]);
    expect(tagOf(second)).toMatch(/^[\w-]{16}$/);
    const next = `Cookie: at=${tagOf(second)}\r\n`;
    expect(await served(client, 3, next)).toEqual(Array(3).fill(second.body.toString()));
    client.end();
    const name = names[gone]!;
    const text = `HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`;
    backends[gone] = await startBackend({ request: (_request, peer) => peer.write(text) });
    expect(backends[gone].port).not.toBe(port);
  });

  it('ends with its endpoint', async () => {
    const client = await start({ balancing });
    const first = await ask(client);
    const stay = endpoints().filter((_, i) => names[i] !== first.body.toString());
    await gateway.use({
      rules: [forwardRule('up')],
      upstreams: { up: { endpoints: stay, more: { balancing } } },
    });
    const second = await ask(client, `Cookie: at=${tagOf(first)}\r\n`);
    expect(second.body.toString()).not.toBe(first.body.toString());
    expect(tagOf(second)).not.toBe(tagOf(first));
    client.end();
  });
});

it.each([
  ['LeastRequest', Balancing_Algorithm.LEAST_REQUEST],
  ['PeakEwma', Balancing_Algorithm.PEAK_EWMA],
])('%s: a request that hangs keeps others from its endpoint', async (_, algorithm) => {
  const silent = await startBackend({});
  const client = await start({ balancing: { algorithm } }, [
    { port: silent.port },
    ...endpoints().slice(0, 1),
  ]);
  const hanging: Peer[] = [];
  // Until one of them is with the silent one.
  while (silent.requests.length === 0) {
    const peer = await connectTo(gateway.port);
    hanging.push(peer);
    peer.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await Promise.race([peer.head(), silent.connection(0)]);
    if (silent.connections.length > 0) {
      await silent.connections[0]!.until('a request', () => silent.requests.length > 0);
    }
  }
  expect(await served(client, 10)).toEqual(Array(10).fill('one'));
  for (const peer of hanging) peer.end();
  client.end();
  await silent.close();
});

it('a changed algorithm is in use at once, and pools stay', async () => {
  const client = await start({});
  await served(client, 3);
  const before = backends.map(({ connections }) => connections.length);
  const balancing = { algorithm: Balancing_Algorithm.MAGLEV, key: '"fixed"' };
  await gateway.use({
    rules: [forwardRule('up')],
    upstreams: { up: { endpoints: endpoints(), more: { balancing } } },
  });
  expect(new Set(await served(client, 5)).size).toBe(1);
  expect(backends.map(({ connections }) => connections.length)).toEqual(before);
  client.end();
});

it.each([
  ['an unsound key', { algorithm: Balancing_Algorithm.MAGLEV, key: 'nobody' }, 'balancing.key'],
  ['an unknown algorithm', { algorithm: 99 as Balancing_Algorithm }, 'balancing.algorithm'],
])('%s of a newer controller is refused', async (_, balancing, path) => {
  (await start({})).end();
  const upstreams = { up: { endpoints: endpoints(), more: { balancing } } };
  await expect(gateway.use({ rules: [forwardRule('up')], upstreams })).rejects.toThrow(path);
});
