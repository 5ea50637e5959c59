import { once } from 'node:events';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Upstream_Protocol } from '@gatehouse/snapshot';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { startGateway } from '../testing/gateway.ts';
import { statusOf } from '../testing/message.ts';
import { forwardRule, type UpstreamFields } from '../testing/snapshot.ts';
import { startTlsBackend } from '../testing/tls-backend.ts';
import { name, named, tlsUpstream } from '../testing/tls-upstream.ts';

const { made, clients, running, snapshot, start } = tlsUpstream();
const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi';

describe('over TLS', () => {
  it('a connection becomes a WebSocket', async () => {
    const { backend } = await start(
      made.good,
      {},
      { rules: [forwardRule('up', { upgrades: ['websocket'] })] },
    );
    const server = new WebSocketServer({ noServer: true });
    server.on('connection', (socket) =>
      socket.on('message', (data, binary) => socket.send(data, { binary })),
    );
    backend.server.on('upgrade', (request, socket, head) =>
      server.handleUpgrade(request, socket, head, (opened) => server.emit('connection', opened)),
    );
    const socket = new WebSocket(`ws://127.0.0.1:${running.gateway?.port}/`);
    await once(socket, 'open');
    for (const size of [5, 1_000_000]) {
      const sent = Buffer.alloc(size, 'ä');
      socket.send(sent);
      const [received] = (await once(socket, 'message')) as [Buffer];
      expect(received.equals(sent)).toBe(true);
    }
    socket.close(1000, 'bye');
    expect(await once(socket, 'close')).toEqual([1000, Buffer.from('bye')]);
  });

  it('mirrors get their copies', async () => {
    const mirror = await startTlsBackend(made.good);
    const { upstreams, entries } = snapshot(mirror.port);
    const { backend, gateway } = await start(made.good);
    const copies = { ...upstreams?.up, endpoints: [{ port: mirror.port }] };
    const rules = [forwardRule('up', { mirrors: [{ upstream: 'copies', percent: 100 }] })];
    const own = snapshot(backend.port).upstreams;
    await gateway.use({ rules, upstreams: { ...own, copies }, ...(entries ? { entries } : {}) });
    expect(statusOf(await clients.ask(post))).toBe(200);
    await expect.poll(() => mirror.requests).toBe(1);
    await mirror.close();
  });
});

describe('an endpoint that is not verified', () => {
  it('is passed over for another one, whatever the method', async () => {
    const impostor = await startTlsBackend(await made.other.issue(`CN=${name}`, named));
    const { backend, gateway } = await start(made.good);
    const { upstreams, ...rest } = snapshot(backend.port);
    const endpoints = [{ port: impostor.port }, { port: backend.port }];
    await gateway.use({ ...rest, upstreams: { up: { ...upstreams?.up, endpoints } } });
    for (let i = 0; i < 8; i++) expect(statusOf(await clients.ask(post))).toBe(200);
    expect(impostor.requests).toBe(0);
    await impostor.close();
  });

  it('opens the circuit breaker', async () => {
    const { gateway } = await start(await made.other.issue(`CN=${name}`, named));
    const { upstreams, ...rest } = snapshot(running.backend?.port ?? 0);
    const circuitBreaker = { failureThreshold: 2, timeoutMs: 60_000, halfOpenRequests: 1 };
    const up = { endpoints: [], ...upstreams?.up };
    await gateway.use({
      ...rest,
      upstreams: { up: { ...up, more: { ...up.more, circuitBreaker } } },
    });
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push(statusOf(await clients.ask()));
    expect(statuses).toEqual([502, 502, 503]);
  });
});

describe('active checks', () => {
  const quick = { intervalMs: 20, timeoutMs: 2000, unhealthyThreshold: 1, healthyThreshold: 1 };
  const probes: [string, NonNullable<UpstreamFields['healthCheck']>['probe']][] = [
    ['http', { case: 'http', value: { path: '/health' } }],
    ['tcp', { case: 'tcp', value: {} }],
  ];
  it.each(probes)('%s goes by the same terms', async (_, probe) => {
    const { backend, gateway } = await start(made.good);
    const { upstreams, ...rest } = snapshot(backend.port);
    const up = { endpoints: [], ...upstreams?.up };
    const more = { ...up.more, healthCheck: { ...quick, ...(probe ? { probe } : {}) } };
    await gateway.use({ ...rest, upstreams: { up: { ...up, more } } });
    const state = () => gateway.oversight.endpoint('up', `127.0.0.1 ${backend.port}`);
    await expect.poll(() => state()?.check?.healthy).toBe(true);
    backend.use(await made.other.issue(`CN=${name}`, named));
    await expect.poll(() => state()?.state).toBe('unhealthy');
    expect(state()?.check?.failure).toMatch(/unable to verify/);
    backend.use(made.good);
    await expect.poll(() => state()?.state).toBe('in service');
  });
});

describe('HTTP/2 over TLS', () => {
  let server: Http2SecureServer | undefined;

  afterEach(async () => {
    const held = server;
    if (held) await new Promise<void>((resolve) => held.close(() => resolve()));
    server = undefined;
  });

  async function listen() {
    const held = createSecureServer(made.good);
    server = held;
    held.on('stream', (stream: ServerHttp2Stream, headers) => {
      stream.respond({ ':status': 200 });
      stream.end(`${headers[':scheme']} ${headers[':authority']}`);
    });
    await new Promise<void>((resolve) => held.listen(0, '127.0.0.1', resolve));
    const { port } = held.address() as AddressInfo;
    const { upstreams, ...rest } = snapshot(port);
    const up = { endpoints: [], ...upstreams?.up };
    const more = { ...up.more, protocol: Upstream_Protocol.HTTP2 };
    running.gateway = await startGateway({ ...rest, upstreams: { up: { ...up, more } } });
  }

  it('is agreed upon by ALPN', async () => {
    await listen();
    const message = await clients.ask('GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n');
    expect(statusOf(message)).toBe(200);
    expect(message.body.toString()).toBe('https shop.example');
  });

  it('leads to 502 with an endpoint that does not speak it', async () => {
    const { backend, gateway } = await start(made.good);
    const { upstreams, ...rest } = snapshot(backend.port);
    const up = { endpoints: [], ...upstreams?.up };
    const more = { ...up.more, protocol: Upstream_Protocol.HTTP2 };
    await gateway.use({ ...rest, upstreams: { up: { ...up, more } } });
    expect(statusOf(await clients.ask())).toBe(502);
    expect(backend.requests).toBe(0);
  });
});
