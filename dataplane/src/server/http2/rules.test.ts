import { Retries_On } from '@gatehouse/snapshot';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { answering, type RawBackend, refusedPort, startBackend } from '../../testing/backend.ts';
import { startGatewayTo, type TestGateway } from '../../testing/gateway.ts';
import { http2Clients } from '../../testing/http2-client.ts';
import { valuesOf } from '../../testing/message.ts';
import { patient } from '../../testing/peer.ts';
import { authPolicy, forwardRule, prefixMatch, type TestSnapshot } from '../../testing/snapshot.ts';

let backend: RawBackend;
let second: RawBackend;
let gateway: TestGateway;
const clients = http2Clients(() => gateway.port);
const post = { ':method': 'POST' };

beforeAll(async () => {
  backend = await startBackend();
  second = await startBackend();
  gateway = await startGatewayTo(backend);
});
afterEach(() => {
  clients.close();
  for (const server of [backend, second]) {
    server.reset();
    server.script = answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  }
});
afterAll(async () => {
  await gateway.close();
  await backend.close();
  await second.close();
});

async function serve(snapshot: TestSnapshot) {
  const upstreams = {
    backend: { endpoints: [{ port: backend.port }] },
    second: { endpoints: [{ port: second.port }] },
    dead: { endpoints: [{ port: await refusedPort() }] },
    none: { endpoints: [] },
  };
  await gateway.use({ rules: [forwardRule('backend')], upstreams, ...snapshot });
}

describe('policies', () => {
  it('that refuse a request answer before its body is there', async () => {
    await serve({
      policies: [authPolicy({ authorization: [{ name: 'nobody', expression: 'false' }] })],
    });
    const client = await clients.connect();
    const { stream, answer } = client.begin(post);
    stream.write('x');
    const { status, code, headers } = await answer;
    expect([status, code]).toEqual([403, 0]);
    expect(headers['content-type']).toBe('application/json');
    expect(backend.requests).toHaveLength(0);
  });

  it('see the request as it came, and tell the upstream who asks', async () => {
    const expression = 'request.method == "POST" && request.headers["x-pass"] == "a, b"';
    await serve({
      policies: [
        authPolicy({
          authentication: [{ name: 'everybody', anonymous: {} }],
          authorization: [{ name: 'some', expression }],
        }),
      ],
    });
    expect((await clients.ask({ ...post, 'x-pass': ['a', 'b'] }, 'hi')).status).toBe(200);
    expect((await clients.ask({ ...post, 'x-pass': 'a' }, 'hi')).status).toBe(403);
    expect(backend.requests[0]?.body.toString()).toBe('hi');
  });

  it('say what is left of a limit', async () => {
    const config = { rates: [{ limit: 1, window: '1h' }] };
    const policy = {
      kind: 'RateLimitPolicy',
      rules: [{ block: 'limits', name: 'few', target: 'Gateway/default/test', config }],
    };
    await serve({ policies: [policy] });
    const client = await clients.connect();
    const allowed = await client.ask();
    const refused = await client.ask();
    expect([allowed.status, refused.status]).toEqual([200, 429]);
    expect(allowed.headers).toHaveProperty('x-ratelimit-remaining', '0');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  });
});

describe('rules', () => {
  it('redirect', async () => {
    const redirect = { status: 308, scheme: 'https' };
    await serve({
      rules: [{ name: 'r', matches: [], action: { case: 'redirect', value: redirect } }],
    });
    const { status, headers } = await clients.ask({ ':path': '/a?b', ':authority': 'h:8080' });
    expect([status, headers.location]).toEqual([308, 'https://h/a?b']);
  });

  it.each([
    [200, 'GET', 'hello'],
    [200, 'HEAD', ''],
    [204, 'GET', ''],
  ])('respond with %d to %s', async (status, method, body) => {
    const value = { status, body: Buffer.from('hello'), headers: [{ name: 'X-Own', value: 'y' }] };
    await serve({ rules: [{ name: 'r', matches: [], action: { case: 'respond', value } }] });
    const answer = await clients.ask({ ':method': method });
    expect([answer.status, answer.body, answer.headers['x-own']]).toEqual([status, body, 'y']);
    expect(answer.headers['content-length']).toBe(status === 204 ? undefined : '5');
  });

  it('respond with more than a window takes', async () => {
    const value = { status: 200, body: Buffer.alloc(3_000_000, 'x') };
    await serve({ rules: [{ name: 'r', matches: [], action: { case: 'respond', value } }] });
    expect((await clients.ask()).body).toHaveLength(3_000_000);
  });

  it('change fields both ways', async () => {
    const changes = { set: [{ name: 'X-Set', value: '1' }], add: [], remove: ['x-gone', 'date'] };
    await serve({
      rules: [
        {
          name: 'r',
          matches: [prefixMatch('/')],
          action: {
            case: 'forward',
            value: {
              backends: [
                {
                  upstream: 'backend',
                  weight: 1,
                  requestHeaders: changes,
                  responseHeaders: changes,
                },
              ],
            },
          },
        },
      ],
    });
    backend.script = answering(
      'HTTP/1.1 200 OK\r\nX-Gone: 1\r\nX-Set: 0\r\nContent-Length: 0\r\n\r\n',
    );
    const { headers } = await clients.ask({ 'x-gone': '1', 'x-set': '0' });
    expect(headers['x-set']).toBe('1');
    expect(headers).not.toHaveProperty('x-gone');
    expect(headers).not.toHaveProperty('date');
    const sent = backend.requests[0]?.fields ?? [];
    expect([valuesOf(sent, 'x-set'), valuesOf(sent, 'x-gone')]).toEqual([['1'], []]);
  });

  it('copy a request with its body to a mirror', async () => {
    await serve({
      rules: [forwardRule('backend', { mirrors: [{ upstream: 'second', percent: 100 }] })],
    });
    const client = await clients.connect();
    const { stream, answer } = client.begin(post);
    stream.write('hi');
    stream.end('you');
    expect((await answer).status).toBe(200);
    await expect.poll(() => second.requests.length, patient).toBe(1);
    expect(second.requests[0]?.body.toString()).toBe('hiyou');
  });

  it('send a request with its body again', async () => {
    backend.script = { request: (_request, peer) => peer.reset() };
    const retries = { attempts: 2, on: [Retries_On.RESET], budgetPercent: 100 };
    await serve({
      rules: [forwardRule('backend', { retries })],
    });
    const client = await clients.connect();
    const { stream, answer } = client.begin({ ':method': 'PUT' });
    stream.write('hello');
    backend.script = {
      request(_request, peer) {
        if (backend.requests.length < 2) peer.reset();
        else peer.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nagain');
      },
    };
    stream.end(' you');
    expect((await answer).body).toBe('again');
    expect(backend.requests.map(({ body }) => body.toString())).toEqual(['hello you', 'hello you']);
  });

  it('give up after their time', async () => {
    backend.script = {};
    await serve({ rules: [forwardRule('backend', { timeouts: { backendRequest: 60 } })] });
    const { status, body } = await clients.ask();
    expect([status, body]).toEqual([504, '{"error":"Gateway timeout"}']);
  });

  it('wait for the rest of a body as long as silence may last', async () => {
    await serve({ rules: [forwardRule('backend', { timeouts: { idle: 60 } })] });
    const client = await clients.connect();
    const { stream, answer } = client.begin(post);
    stream.write('x');
    const { status, code } = await answer;
    expect([status, code]).toEqual([408, 0]);
    expect((await client.ask()).status).toBe(200);
  });

  it.each<[string, number, object]>([
    ['dead', 502, {}],
    ['none', 503, {}],
    [
      'none',
      200,
      { fallback: { instead: { case: 'backend', value: { upstream: 'second', weight: 1 } } } },
    ],
  ])('to the upstream "%s" answer %d', async (upstream, status, more) => {
    await serve({ rules: [forwardRule(upstream, more)] });
    const answer = await clients.ask(post, 'hello');
    expect(answer.status).toBe(status);
    if (status === 200) expect(second.requests[0]?.body.toString()).toBe('hello');
  });

  it('do not switch protocols (RFC 9113 section 8.6)', async () => {
    await serve({ rules: [forwardRule('backend', { upgrades: ['websocket'] })] });
    const { status } = await clients.ask({ 'sec-websocket-key': 'x' });
    expect(status).toBe(200);
    expect(valuesOf(backend.requests[0]?.fields ?? [], 'upgrade')).toEqual([]);
  });
});
