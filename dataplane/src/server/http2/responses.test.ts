import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { answering, type RawBackend, startBackend } from '../../testing/backend.ts';
import { startGatewayTo, type TestGateway } from '../../testing/gateway.ts';
import { http2Clients } from '../../testing/http2-client.ts';
import { type Message, valuesOf } from '../../testing/message.ts';

let backend: RawBackend;
let gateway: TestGateway;
const clients = http2Clients(() => gateway.port);

beforeAll(async () => {
  backend = await startBackend();
  gateway = await startGatewayTo(backend, { limits: { bodyBytes: 100_000 } });
});
afterEach(() => {
  clients.close();
  backend.reset();
  backend.script = answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
});
afterAll(async () => {
  await gateway.close();
  await backend.close();
});

const head = 'HTTP/1.1 200 OK\r\n';

describe('the answer of an HTTP/1.1 upstream', () => {
  it.each<[string, string, { status: number; body: string; trailers?: object }]>([
    ['with a length', `${head}Content-Length: 5\r\n\r\nhello`, { status: 200, body: 'hello' }],
    ['of no bytes', `${head}Content-Length: 0\r\n\r\n`, { status: 200, body: '' }],
    [
      'in chunks',
      `${head}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n`,
      { status: 200, body: 'hello' },
    ],
    [
      'in chunks, with trailers',
      `${head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\nSet-Cookie: a=1\r\n\r\n`,
      { status: 200, body: 'hello', trailers: { 'x-sum': '1, 2' } },
    ],
    [
      'without a byte, with trailers',
      `${head}Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n`,
      { status: 200, body: '', trailers: { 'x-sum': '1' } },
    ],
    ['204', 'HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n', { status: 204, body: '' }],
    ['304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n', { status: 304, body: '' }],
    [
      'with a status that nobody knows',
      'HTTP/1.1 599\r\nContent-Length: 1\r\n\r\nx',
      { status: 599, body: 'x' },
    ],
  ])('%s', async (_name, bytes, expected) => {
    backend.script = answering(bytes);
    const { status, body, trailers, code } = await clients.ask();
    expect({ status, body, code }).toEqual({
      status: expected.status,
      body: expected.body,
      code: 0,
    });
    expect(trailers && Object.fromEntries(Object.entries(trailers))).toEqual(expected.trailers);
  });

  it('that ends with its connection', async () => {
    backend.script = {
      connection(peer) {
        peer.write(`${head}X: y\r\n\r\nhel`);
        peer.write('lo');
        peer.end();
      },
    };
    const { status, body, code } = await clients.ask();
    expect([status, body, code]).toEqual([200, 'hello', 0]);
  });

  it('keeps its fields, but not those of its connection', async () => {
    backend.script = answering(
      `${head}Content-Length: 2\r\nServer: x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Two: 1\r\nx-two: 2\r\n` +
        'Connection: keep-alive, x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: x\r\nUpgrade: h2c\r\nTe: x\r\n\r\nok',
    );
    const { headers } = await clients.ask();
    expect(headers).toMatchObject({ server: 'x', 'set-cookie': ['a=1', 'b=2'], 'x-two': '1, 2' });
    expect(headers.date).toBeDefined();
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    for (const name of [
      'connection',
      'x-hop',
      'keep-alive',
      'proxy-authenticate',
      'upgrade',
      'te',
    ]) {
      expect(headers).not.toHaveProperty(name);
    }
  });

  it('to HEAD has a length and no body', async () => {
    backend.script = answering(`${head}Content-Length: 5\r\n\r\n`);
    const { headers, body } = await clients.ask({ ':method': 'HEAD' });
    expect([headers['content-length'], body]).toEqual(['5', '']);
  });

  it('comes after its 1xx responses', async () => {
    backend.script = answering(
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: keep-alive\r\n\r\n${head}Content-Length: 2\r\n\r\nok`,
    );
    const { interim, status } = await clients.ask(
      { ':method': 'POST', expect: '100-continue' },
      'x',
    );
    expect([interim, status]).toEqual([[100, 103], 200]);
  });

  it.each([
    ['of a body with a length', `${head}Content-Length: 5\r\n\r\nhel`],
    ['of a body in chunks', `${head}Transfer-Encoding: chunked\r\n\r\n5\r\nhel`],
  ])('that is cut in the midst %s is reset', async (_name, bytes) => {
    backend.script = {
      connection(peer) {
        peer.write(bytes);
        peer.end();
      },
    };
    const { status, body, code } = await clients.ask();
    // INTERNAL_ERROR
    expect([status, body, code]).toEqual([200, 'hel', 2]);
  });
});

describe('streams of one connection', () => {
  it('are served beside each other, and end without each other', async () => {
    const waiting: (() => void)[] = [];
    backend.script = {
      request(request: Message, peer) {
        const [path = ''] = valuesOf(request.fields, 'x-name');
        const answer = () => peer.write(`${head}Content-Length: ${path.length}\r\n\r\n${path}`);
        if (path === 'slow') waiting.push(answer);
        else answer();
      },
    };
    const client = await clients.connect();
    const slow = client.ask({ 'x-name': 'slow' });
    const cut = client.begin({ ':method': 'POST' });
    const many = await Promise.all(
      Array.from({ length: 100 }, (_, i) => client.ask({ 'x-name': `n${i}` })),
    );
    expect(many.map(({ body }) => body)).toEqual(many.map((_, i) => `n${i}`));
    cut.stream.close(8);
    await cut.answer;
    for (const answer of waiting) answer();
    expect((await slow).body).toBe('slow');
  });

  it('count as one connection', async () => {
    const client = await clients.connect();
    await Promise.all([client.ask(), client.ask()]);
    expect(gateway.connections()).toBe(1);
    client.close();
    await expect.poll(() => gateway.connections()).toBe(0);
  });
});

describe('an answer before the end of the request', () => {
  it('is whole, and the rest is not wanted', async () => {
    const client = await clients.connect();
    const { stream, answer } = client.begin({ ':method': 'POST', 'content-length': '100001' });
    stream.write('x');
    const { status, body, code } = await answer;
    // RFC 9113 section 8.1: RST_STREAM with NO_ERROR.
    expect([status, body, code]).toEqual([413, '{"error":"Content too large"}', 0]);
    expect((await client.ask()).status).toBe(200);
  });

  it('comes once the body has grown too large', async () => {
    const client = await clients.connect();
    const { status, code } = await client.ask({ ':method': 'POST' }, 'x'.repeat(100_001));
    expect([status, code]).toEqual([413, 0]);
    await expect.poll(() => backend.connections.every(({ open }) => !open)).toBe(true);
  });
});

describe('a client that gives up', () => {
  it.each<[string, Record<string, string>]>([
    ['a request', {}],
    ['a request with a body', { ':method': 'POST' }],
  ])('%s frees the upstream, and counts as 499', async (_name, fields) => {
    backend.script = { connection: () => undefined };
    const client = await clients.connect();
    const { stream, answer } = client.begin(fields, fields[':method'] === undefined);
    const upstream = await backend.connection(0);
    await upstream.head();
    stream.close(8);
    await answer;
    await upstream.close();
    await expect.poll(() => gateway.metrics()).toMatch(/status="499"/);
  });
});

it('a request of HTTP/2 is told upstream by Via, with everything else that a proxy tells', async () => {
  await clients.ask({ ':authority': 'a.example:8080', cookie: ['a=1', 'b=2'] });
  const [request] = backend.requests;
  const of = (name: string) => request && valuesOf(request.fields, name);
  expect(request?.startLine).toBe('GET / HTTP/1.1');
  expect(of('host')).toEqual(['a.example:8080']);
  expect(of('via')).toEqual(['2.0 gatehouse']);
  expect(of('cookie')).toEqual(['a=1; b=2']);
  expect(of('x-forwarded-proto')).toEqual(['http']);
  expect(of('forwarded')).toEqual(['for=127.0.0.1;host="a.example:8080";proto=http']);
});
