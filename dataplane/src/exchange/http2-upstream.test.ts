import { constants } from 'node:http2';
import { Retries_On, Upstream_Protocol } from '@gatehouse/snapshot';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { refusedPort, startBackend } from '../testing/backend.ts';
import { type Clients, clientsOf } from '../testing/clients.ts';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import { type Http2Backend, okScript, startHttp2Backend } from '../testing/http2-backend.ts';
import { statusOf, valuesOf } from '../testing/message.ts';
import { forwardRule, type TestRule, type UpstreamFields } from '../testing/snapshot.ts';

const protocol = Upstream_Protocol.HTTP2;
const post = (body: string) =>
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

let backend: Http2Backend;
let gateway: TestGateway;
let clients: Clients;

beforeEach(async () => {
  backend = await startHttp2Backend();
});
afterEach(async () => {
  clients.close();
  await gateway.close();
  await backend.close();
});

const snapshot = (rule: TestRule = {}, more: UpstreamFields = {}, ports = [backend.port]) => ({
  rules: [forwardRule('up', rule)],
  upstreams: { up: { endpoints: ports.map((port) => ({ port })), more: { protocol, ...more } } },
});

async function start(...settings: Parameters<typeof snapshot>) {
  gateway = await startGateway(snapshot(...settings));
  clients = clientsOf(() => gateway.port);
}

describe('what a client with HTTP/1.1 sends', () => {
  it('loses the fields of its connection, and keeps te', async () => {
    await start();
    await clients.ask(
      'GET /a HTTP/1.1\r\nHost: shop.test\r\nConnection: keep-alive, X-Hop, TE\r\nX-Hop: 1\r\nTE: gzip, trailers\r\nX-Kept: 2\r\n\r\n',
    );
    const headers = backend.requests[0]?.headers ?? {};
    expect(headers).toMatchObject({
      ':authority': 'shop.test',
      te: 'trailers',
      'x-kept': '2',
      ':path': '/a',
    });
    for (const gone of ['connection', 'x-hop', 'host', 'keep-alive'])
      expect(headers).not.toHaveProperty(gone);
  });
});

describe('an answer', () => {
  it('to HEAD has no body', async () => {
    backend.script = ({ stream }) =>
      stream.respond({ ':status': 200, 'content-length': 5 }, { endStream: true });
    await start();
    const message = await clients.ask('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect([statusOf(message), valuesOf(message.fields, 'content-length')]).toEqual([200, ['5']]);
  });

  it.each([204, 304])('of %d has none', async (status) => {
    backend.script = ({ stream }) => stream.respond({ ':status': status }, { endStream: true });
    await start();
    const message = await clients.ask();
    expect([statusOf(message), message.body.length]).toEqual([status, 0]);
  });

  it('that breaks off cuts the client', async () => {
    backend.script = ({ stream }) => {
      stream.respond({ ':status': 200 });
      stream.write('part', () => setImmediate(() => stream.destroy(new Error('gone'))));
    };
    await start();
    await expect(clients.ask()).rejects.toThrow();
  });
});

describe('an upstream that did not process a request', () => {
  it('gets it again, whatever the method', async () => {
    let refused = 0;
    backend.script = (request) => {
      if (++refused < 3) request.stream.close(constants.NGHTTP2_REFUSED_STREAM);
      else okScript(request);
    };
    await start();
    expect(statusOf(await clients.ask(post('hello')))).toBe(200);
    expect((await backend.requests[2]?.body)?.toString()).toBe('hello');
  });

  it('gets it again on another connection when it leaves', async () => {
    backend.script = () => undefined;
    await start();
    const first = clients.ask();
    await backend.received(1);
    const second = clients.ask(post('hello'));
    await backend.received(2);
    backend.script = okScript;
    backend.sessions[0]?.goaway(constants.NGHTTP2_NO_ERROR, 1);
    expect(statusOf(await second)).toBe(200);
    expect(backend.sessions).toHaveLength(2);
    const [held] = backend.requests;
    if (held) okScript(held);
    expect(statusOf(await first)).toBe(200);
  });

  it('is given up after a few tries', async () => {
    backend.script = ({ stream }) => stream.close(constants.NGHTTP2_REFUSED_STREAM);
    await start();
    expect(statusOf(await clients.ask(post('x')))).toBe(502);
    expect(backend.requests.length).toBeLessThan(5);
  });

  it('is passed over for another one', async () => {
    await start({}, {}, [backend.port, await refusedPort()]);
    for (let i = 0; i < 4; i++) expect(statusOf(await clients.ask(post('x')))).toBe(200);
  });
});

it('a request that is retried has its body', async () => {
  backend.script = (request) => {
    void request.body.then(() => {
      if (backend.requests.length === 1)
        request.stream.respond({ ':status': 503 }, { endStream: true });
      else okScript(request);
    });
  };
  await start({ retries: { attempts: 1, on: [Retries_On.GATEWAY_ERROR], budgetMinimum: 10 } });
  const chunked = 'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n';
  const client = await clients.send(chunked);
  await backend.received(1);
  client.write('2\r\nde\r\n0\r\n\r\n');
  expect(statusOf(await client.message())).toBe(200);
  expect((await backend.requests[1]?.body)?.toString()).toBe('abcde');
});

it('a mirror may speak it', async () => {
  const main = await startBackend();
  gateway = await startGateway({
    rules: [forwardRule('main', { mirrors: [{ upstream: 'up', percent: 100 }] })],
    upstreams: {
      main: { endpoints: [{ port: main.port }] },
      up: { endpoints: [{ port: backend.port }], more: { protocol } },
    },
  });
  clients = clientsOf(() => gateway.port);
  await clients.ask(
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  );
  await backend.received(1);
  expect((await backend.requests[0]?.body)?.toString()).toBe('abc');
  await main.close();
});

describe('time', () => {
  it('is up for an upstream whose window never opens', async () => {
    backend.script = ({ stream }) => stream.pause();
    await start({ timeouts: { idle: 200 } });
    const client = await clients.send(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n',
    );
    client.write('x'.repeat(9_000_000));
    expect(statusOf(await client.message())).toBe(408);
    await vi.waitFor(() =>
      expect(backend.requests[0]?.stream.rstCode).toBe(constants.NGHTTP2_CANCEL),
    );
  });

  it('is up for one that does not answer', async () => {
    backend.script = () => undefined;
    await start({ timeouts: { request: 500 } });
    expect(statusOf(await clients.ask())).toBe(504);
    await vi.waitFor(() =>
      expect(backend.requests[0]?.stream.rstCode).toBe(constants.NGHTTP2_CANCEL),
    );
    backend.script = okScript;
    expect(statusOf(await clients.ask())).toBe(200);
    expect(backend.sessions).toHaveLength(1);
  });
});

it('an upstream may change its protocol', async () => {
  await start();
  expect(statusOf(await clients.ask())).toBe(200);
  const other = await startBackend();
  await gateway.use(snapshot({}, { protocol: Upstream_Protocol.HTTP1 }, [other.port]));
  expect(statusOf(await clients.ask())).toBe(200);
  await gateway.use(snapshot({}, { protocol: Upstream_Protocol.HTTP1 }, [backend.port]));
  expect(statusOf(await clients.ask())).toBe(502);
  await gateway.use(snapshot());
  expect(statusOf(await clients.ask())).toBe(200);
  await other.close();
});
