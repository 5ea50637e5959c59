import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answering, type RawBackend, startBackend } from '../testing/backend.ts';
import { clientsOf } from '../testing/clients.ts';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import { statusOf } from '../testing/message.ts';
import { type Peer, patient } from '../testing/peer.ts';
import { forwardRule, type TestRule } from '../testing/snapshot.ts';

const ask = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const switched =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

let backend: RawBackend;
let gateway: TestGateway;
const clients = clientsOf(() => gateway.port);

beforeEach(async () => {
  backend = await startBackend(answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
});
afterEach(async () => {
  clients.close();
  await gateway.close();
  await backend.close();
});

async function start(rule: TestRule = { upgrades: ['websocket'] }) {
  gateway = await startGateway({
    rules: [forwardRule('up', rule)],
    upstreams: { up: { endpoints: [{ port: backend.port }] } },
  });
}

/** A client and a backend with a tunnel between them. */
async function openTunnel(): Promise<{ client: Peer; server: Peer }> {
  backend.script = { connection: () => undefined };
  const client = await clients.send(ask);
  const server = await backend.connection(backend.connections.length);
  await server.head();
  server.bytes = Buffer.alloc(0);
  server.write(switched);
  await client.head();
  client.bytes = Buffer.alloc(0);
  return { client, server };
}

const openTunnels = () => /^gateway_open_tunnels (\d+)$/m.exec(gateway.metrics())?.[1];

describe('a tunnel', () => {
  it('is asked for and told of, and ends counted as 101', async () => {
    await start();
    backend.script = { connection: () => undefined };
    const client = await clients.send(ask);
    const server = await backend.connection(0);
    expect(await server.head()).toMatch(/\r\nconnection: upgrade\r\nupgrade: websocket\r\n/);
    server.write(switched);
    expect(await client.head()).toMatch(
      /^HTTP\/1\.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nx-request-id: [^\r]+\r\n\r\n$/,
    );
    expect(openTunnels()).toBe('1');
    client.end();
    expect(await server.close()).toBe('end');
    server.end();
    await expect.poll(openTunnels, patient).toBe('0');
    expect(gateway.metrics()).toMatch(/gateway_requests_total\{[^}]*status="101"[^}]*\} 1/);
    expect(gateway.metrics()).not.toMatch(/^gateway_request_duration_count/m);
  });

  it('holds what came behind the request until there is a 101', async () => {
    await start();
    backend.script = { connection: () => undefined };
    const client = await clients.send(`${ask}first`);
    const server = await backend.connection(0);
    await server.head();
    client.write(' second');
    expect(server.all.endsWith('\r\n\r\n')).toBe(true);
    server.write(`${switched}hello`);
    await server.text('first second');
    await client.text('hello');
  });

  it('goes on when one half has ended', async () => {
    await start();
    const { client, server } = await openTunnel();
    client.write('question');
    client.end();
    await server.text('question');
    expect(await server.close()).toBe('end');
    server.write('answer');
    server.end();
    await client.text('answer');
    expect(await client.close()).toBe('end');
  });

  it('goes on when the backend has ended its half', async () => {
    await start();
    const { client, server } = await openTunnel();
    server.write('bye');
    server.end();
    await client.text('bye');
    expect(await client.close()).toBe('end');
    client.write('more');
    await server.text('more');
    client.end();
    expect(await server.close()).toBe('end');
  });

  it.each(['client', 'server'] as const)('is reset when the %s is gone', async (side) => {
    await start();
    const { [side]: gone, ...others } = await openTunnel();
    gone.reset();
    const [other] = Object.values(others) as [Peer];
    await other.until('the close', ({ closed, ended }) => closed || ended);
    await expect.poll(openTunnels, patient).toBe('0');
  });

  it.each(['client', 'server'] as const)('slows the %s down to what is read', async (side) => {
    await start();
    const { [side]: sender, ...others } = await openTunnel();
    const [reader] = Object.values(others) as [Peer];
    const before = reader.total;
    reader.socket.pause();
    reader.counting = true;
    const piece = Buffer.alloc(65_536, 'x');
    const size = 1024 * piece.length;
    for (let i = 0; i < 1024; i++) sender.write(piece);
    sender.end();
    let waiting = -1;
    const stands = () => {
      const same = sender.socket.writableLength === waiting;
      waiting = sender.socket.writableLength;
      return same;
    };
    await expect.poll(stands, { ...patient, interval: 200 }).toBe(true);
    // What is not there fits into the buffers of four sockets.
    expect(waiting).toBeGreaterThan(size / 2);
    reader.socket.resume();
    await reader.until('everything', ({ total }) => total === before + size);
    // Both halves have ended: nothing is left of it.
    reader.end();
  });

  it('is closed after silence', async () => {
    await start({ upgrades: ['websocket'], timeouts: { idle: 100 } });
    const { client, server } = await openTunnel();
    expect(await client.close()).toBe('end');
    await server.close();
    await expect.poll(openTunnels, patient).toBe('0');
  });

  it('outlives the limits of a request', async () => {
    await start({ upgrades: ['websocket'], timeouts: { request: 150, backendRequest: 100 } });
    const { client, server } = await openTunnel();
    const end = performance.now() + 400;
    await expect.poll(() => performance.now() > end, patient).toBe(true);
    client.write('still there');
    await server.text('still there');
  });

  it('is closed when the gateway has waited long enough', async () => {
    await start();
    const { client } = await openTunnel();
    await gateway.close();
    await client.until('the close', ({ closed, ended }) => closed || ended);
  });
});

describe('no tunnel', () => {
  it.each<[string, TestRule, string]>([
    ['when the rule does not allow any', {}, ask],
    ['to another protocol', { upgrades: ['websocket'] }, ask.replace('websocket', 'h2c')],
    [
      'when Connection does not name it',
      { upgrades: ['websocket'] },
      ask.replace(': Upgrade', ': close'),
    ],
    ['in HTTP/1.0', { upgrades: ['websocket'] }, ask.replace('1.1', '1.0')],
    ['of another method', { upgrades: ['websocket'] }, ask.replace('GET', 'POST')],
    ['with a body', { upgrades: ['websocket'] }, `${ask.slice(0, -2)}Content-Length: 3\r\n\r\nabc`],
    [
      'with a body in chunks',
      { upgrades: ['websocket'] },
      `${ask.slice(0, -2)}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    ],
  ])('%s: the request goes on without Upgrade', async (_name, rule, request) => {
    await start(rule);
    expect(statusOf(await clients.ask(request))).toBe(200);
    expect(backend.requests[0]?.raw).not.toMatch(/upgrade/i);
  });

  it('with a list: what is allowed of it is asked for', async () => {
    await start();
    await clients.ask(ask.replace('websocket', 'h2c, WebSocket'));
    expect(backend.requests[0]?.raw).toMatch(/\r\nupgrade: websocket\r\n/);
    expect(backend.requests[0]?.raw).not.toMatch(/h2c/);
  });

  it('without 101: the answer goes back, and what follows is a request of its own', async () => {
    await start();
    backend.script = answering('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n');
    const client = await clients.send(`${ask}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(statusOf(await client.message())).toBe(426);
    expect(statusOf(await client.message())).toBe(426);
    expect(backend.requests.map(({ startLine }) => startLine)).toEqual([
      'GET /chat HTTP/1.1',
      'GET /next HTTP/1.1',
    ]);
  });

  it.each([
    ['another protocol', switched.replace('websocket', 'h2c')],
    ['no protocol', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['no Connection', switched.replace('Connection: Upgrade\r\n', '')],
    ['a length', switched.replace('\r\n\r\n', '\r\nContent-Length: 5\r\n\r\nhello')],
    ['chunks', switched.replace('\r\n\r\n', '\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')],
  ])('by a 101 with %s: 502', async (_name, answer) => {
    await start();
    backend.script = answering(answer);
    expect(statusOf(await clients.ask(ask))).toBe(502);
  });

  it('by a 101 to who did not ask: 502', async () => {
    await start();
    backend.script = answering(switched);
    expect(statusOf(await clients.ask())).toBe(502);
  });
});
