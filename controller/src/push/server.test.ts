import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { create, toBinary } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { FromDataPlaneSchema, Kind, Lane, type Resource, UpdateSchema } from '@gatehouse/snapshot';
import { pino } from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Authenticate, sharedToken } from './authenticate.ts';
import { createCertificates } from './certificate.ts';
import { Fleet } from './fleet.ts';
import { listen, type PushOptions } from './server.ts';
import { bareDataPlane } from './testing/bare-data-plane.ts';
import { endpoints, route, setOf, snapshotOf } from './testing/fixtures.ts';

const token = 'a-token-of-the-fleet';
const certificates = await createCertificates(['127.0.0.1']);
const { ca } = certificates;
const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

function opens<T extends { close(): unknown }>(one: T): T {
  opened.push(one);
  return one;
}

async function stage(options: Partial<PushOptions> = {}) {
  const fleet = new Fleet(() => undefined);
  const server = await listen({
    fleet,
    host: '127.0.0.1',
    port: 0,
    ...certificates,
    authenticate: sharedToken(token),
    log: pino({ level: 'silent' }),
    ...options,
  });
  opens(server);
  const { port } = server;
  const peer = (presented: string | undefined = token) =>
    opens(bareDataPlane({ port, ca }, presented));
  const connected = (count: number) =>
    vi.waitFor(() => expect(fleet.view().dataPlanes).toHaveLength(count), { interval: 5 });
  return { fleet, server, port, peer, connected };
}

const hello = (node: string, held: Resource[] = []) => ({
  case: 'hello' as const,
  value: { node, held: held.map(({ kind, name, hash }) => ({ kind, name, hash })) },
});
const ack = ({ lane, version }: { lane: Lane; version: string }) => ({
  case: 'ack' as const,
  value: { lane, version },
});

describe('a data plane', () => {
  test('gets both lanes, acknowledges, and gets the next difference', async () => {
    const { fleet, peer } = await stage();
    fleet.publish(snapshotOf(setOf(route('a', 1), route('b', 1)), setOf(endpoints('u', 80))));
    const dp = peer();
    dp.send(hello('dp'));
    for (const lane of [Lane.ENDPOINTS, Lane.CONFIG]) {
      const update = await dp.next();
      expect([update.lane, update.full]).toEqual([lane, true]);
      dp.send(ack(update));
    }
    fleet.publish(snapshotOf(setOf(route('a', 2), route('b', 1)), setOf(endpoints('u', 80))));
    const update = await dp.next();
    expect(update.put.map(({ name }) => name)).toEqual(['a']);
    dp.send(ack(update));
    await vi.waitFor(() => expect(fleet.view().dataPlanes[0]?.config.version).toBe(update.version));
  });

  test('that comes back with all resources is sent none of them', async () => {
    const { fleet, peer } = await stage();
    const all = Array.from({ length: 500 }, (_, n) => route(`r-${n}`, n));
    fleet.publish(snapshotOf(setOf(...all)));
    const dp = peer();
    dp.send(hello('dp', all));
    const updates = [await dp.next(), await dp.next()];
    expect(updates.map(({ put, remove }) => put.length + remove.length)).toEqual([0, 0]);
    const bytes = updates.map((update) => toBinary(UpdateSchema, update).byteLength);
    expect(Math.max(...bytes)).toBeLessThan(64);
  });

  test('with the name of another replaces it', async () => {
    const { fleet, peer, connected } = await stage();
    fleet.publish(snapshotOf(setOf(route('a', 1))));
    const older = peer();
    older.send(hello('dp'));
    await connected(1);
    const newer = peer();
    newer.send(hello('dp'));
    expect((await older.end())?.code).toBe(Code.Aborted);
    expect((await newer.next()).lane).toBe(Lane.ENDPOINTS);
    await connected(1);
  });

  test('that leaves is forgotten', async () => {
    const { peer, connected } = await stage();
    const dp = peer();
    dp.send(hello('dp'));
    await connected(1);
    dp.close();
    await connected(0);
  });

  test('that does not answer is cut', async () => {
    const { fleet, peer, connected } = await stage({ deadlines: { hello: 1000, answer: 50 } });
    fleet.publish(snapshotOf(setOf(route('a', 1))));
    const dp = peer();
    dp.send(hello('dp'));
    expect((await dp.end())?.code).toBe(Code.DeadlineExceeded);
    await connected(0);
  });

  test('that answers one lane but not the other is cut, too', async () => {
    const { fleet, peer } = await stage({ deadlines: { hello: 1000, answer: 50 } });
    fleet.publish(snapshotOf(setOf(route('a', 1))));
    const dp = peer();
    dp.send(hello('dp'));
    dp.send(ack(await dp.next()));
    expect((await dp.end())?.code).toBe(Code.DeadlineExceeded);
  });

  test('is told when the controller stops', async () => {
    const { server, peer, connected } = await stage();
    const dp = peer();
    dp.send(hello('dp'));
    await connected(1);
    const [end] = await Promise.all([dp.end(), server.close()]);
    expect(end?.code).toBe(Code.Unavailable);
  });
});

describe('is refused without a byte of config:', () => {
  const strangers: [string, string | undefined][] = [
    ['no token', undefined],
    ['a wrong token', 'another-token-of-it'],
    ['a prefix of the token', token.slice(0, -1)],
    ['an empty token', ''],
  ];
  test.each(strangers)('%s', async (_, presented) => {
    const { fleet, port, connected } = await stage();
    fleet.publish(snapshotOf(setOf(route('a', 1))));
    const stranger = opens(bareDataPlane({ port, ca }, presented));
    stranger.send(hello('dp'));
    await expect(stranger.next()).rejects.toMatchObject({ code: Code.Unauthenticated });
    await connected(0);
  });

  test('another scheme of authorization', async () => {
    const authenticate = vi.fn<Authenticate>();
    const { port } = await stage({ authenticate });
    const stranger = opens(bareDataPlane({ port, ca }, 'a b'));
    await expect(stranger.next()).rejects.toMatchObject({ code: Code.Unauthenticated });
    expect(authenticate).not.toHaveBeenCalled();
  });

  test('a client without TLS', async () => {
    const { port } = await stage();
    const socket = connectTcp(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    // At most a TLS alert.
    expect(Buffer.concat(chunks).byteLength).toBeLessThan(16);
  });

  test('a client that speaks HTTP/1.1', async () => {
    const { port } = await stage();
    const socket = connectTls({ port, host: '127.0.0.1', ca, ALPNProtocols: ['http/1.1'] });
    await expect(
      new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject)),
    ).rejects.toThrow();
  });

  test('a token that is bound to another node', async () => {
    const { peer } = await stage({ authenticate: async () => ({ node: 'mine' }) });
    const dp = peer();
    dp.send(hello('yours'));
    await expect(dp.next()).rejects.toMatchObject({ code: Code.PermissionDenied });
  });

  const openings: [string, Parameters<ReturnType<typeof bareDataPlane>['send']>[0]][] = [
    ['an answer', ack({ lane: Lane.CONFIG, version: 'v' })],
    ['a hello without a name', hello('')],
    ['a hello with a name of 254 characters', hello('x'.repeat(254))],
  ];
  test.each(openings)('a stream that opens with %s', async (_, message) => {
    const { fleet, peer } = await stage();
    fleet.publish(snapshotOf(setOf(route('a', 1))));
    const dp = peer();
    dp.send(message);
    await expect(dp.next()).rejects.toMatchObject({ code: Code.InvalidArgument });
  });

  test('a stream without hello', async () => {
    const { peer } = await stage({ deadlines: { hello: 50, answer: 1000 } });
    await expect(peer().next()).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  });

  test('a hello above 16 MiB', async () => {
    const { peer, connected } = await stage();
    const dp = peer();
    const held = Array.from({ length: 17 }, (_, n) => ({
      ...route(`r-${n}`, n),
      hash: new Uint8Array(1024 * 1024),
    }));
    dp.send(hello('dp', held));
    await expect(dp.next()).rejects.toThrow(/larger than|closed/);
    await connected(0);
  });

  test('another path', async () => {
    const { port } = await stage();
    const client = opens(connectHttp2(`https://127.0.0.1:${port}`, { ca }));
    const stream = client.request({ ':path': '/' });
    const status = await new Promise((resolve) =>
      stream.once('response', (headers) => resolve(headers[':status'])),
    );
    expect(status).toBe(404);
  });
});

describe('a connection', () => {
  test('without a good token is closed after a while', async () => {
    const keepAlive = { interval: 1000, timeout: 1000, stranger: 50 };
    const { port } = await stage({ keepAlive });
    const client = opens(connectHttp2(`https://127.0.0.1:${port}`, { ca }));
    await new Promise((resolve) => client.once('close', resolve));
  });

  test('that falls silent is cut', async () => {
    const keepAlive = { interval: 30, timeout: 30, stranger: 1000 };
    const { port, connected } = await stage({ keepAlive });
    // A wire that can be cut without either side being told.
    const wire = createServer((near) => {
      const far = connectTcp(port, '127.0.0.1');
      near.pipe(far).pipe(near);
      near.on('error', () => undefined);
      far.on('error', () => undefined);
      silence = () => near.unpipe(far);
    });
    let silence = () => {};
    await new Promise<void>((resolve) => wire.listen(0, '127.0.0.1', resolve));
    opens(wire);
    const address = wire.address();
    const wirePort = typeof address === 'object' && address ? address.port : 0;
    const dp = opens(bareDataPlane({ port: wirePort, ca }, token));
    dp.send(hello('dp'));
    await connected(1);
    silence();
    await connected(0);
  });

  test('whose peer does not read holds one update and is cut in time', async () => {
    const { fleet, port, connected } = await stage({ deadlines: { hello: 1000, answer: 300 } });
    // One body for all, so that what grows is what waits to be sent.
    const body = new Uint8Array(8e6);
    const big = (n: number) =>
      snapshotOf(setOf({ ...route('a', n), hash: new Uint8Array([n]), body }));
    const client = opens(connectHttp2(`https://127.0.0.1:${port}`, { ca }));
    const stream = client.request({
      ':method': 'POST',
      ':path': '/gatehouse.snapshot.v1.Snapshots/Subscribe',
      'content-type': 'application/grpc+proto',
      authorization: `Bearer ${token}`,
    });
    stream.on('error', () => undefined);
    stream.pause();
    const message = { case: 'hello' as const, value: { node: 'dp' } };
    const opening = toBinary(FromDataPlaneSchema, create(FromDataPlaneSchema, { message }));
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(opening.byteLength, 1);
    stream.write(Buffer.concat([frame, opening]));
    await connected(1);
    const before = process.memoryUsage().arrayBuffers;
    for (let n = 1; n <= 50; n++) {
      fleet.publish(big(n));
      await new Promise(setImmediate);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60e6);
    await connected(0);
    await new Promise((resolve) =>
      stream.closed ? resolve(0) : stream.resume().once('close', resolve),
    );
  });
});

test('close does not wait for a client that never ends its handshake', async () => {
  const { port, server } = await stage();
  const socket = connectTcp(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  const gone = new Promise((resolve) => socket.once('close', resolve));
  await server.close();
  await gone;
});

test('a port that is in use is an error with its code', async () => {
  const { port } = await stage();
  await expect(stage({ port })).rejects.toMatchObject({ code: 'EADDRINUSE', port });
});

test('a nacked resource goes back to its last version on the wire', async () => {
  const { fleet, peer } = await stage();
  fleet.publish(snapshotOf(setOf(route('a', 1), route('b', 1))));
  const dp = peer();
  dp.send(hello('dp'));
  dp.send(ack(await dp.next()));
  dp.send(ack(await dp.next()));
  fleet.publish(snapshotOf(setOf(route('a', 2), route('b', 2))));
  const refused = await dp.next();
  const refusals = [{ kind: Kind.ROUTE, name: 'a', path: 'rules[0]', reason: 'no' }];
  dp.send({
    case: 'nack',
    value: { lane: Lane.CONFIG, version: refused.version, refusals },
  });
  const rest = await dp.next();
  expect(rest.put.map(({ name }) => name)).toEqual(['b']);
  dp.send(ack(rest));
  fleet.publish(snapshotOf(setOf(route('a', 3), route('b', 2))));
  expect((await dp.next()).put.map(({ name }) => name)).toEqual(['a']);
});
