import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Limits } from '../http1/limits.ts';
import { answering, type RawBackend, refusedPort, startBackend } from '../testing/backend.ts';
import { connectTo } from '../testing/client.ts';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import { statusOf, valuesOf } from '../testing/message.ts';
import { patient } from '../testing/peer.ts';
import { forwardRule, type TestRule } from '../testing/snapshot.ts';

let backend: RawBackend;
let gateway: TestGateway;

beforeEach(async () => {
  backend = await startBackend();
});
afterEach(async () => {
  await gateway.close();
  await backend.close();
});

async function start(limits: Partial<Limits>, rule: TestRule = {}, port = backend.port) {
  gateway = await startGateway({
    limits,
    rules: [forwardRule('backend', rule)],
    upstreams: { backend: { endpoints: [{ port }], connectTimeout: 200 } },
  });
  return connectTo(gateway.port);
}

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const ok = 'HTTP/1.1 200 OK\r\n';

describe('a request beyond a limit', () => {
  const line = 'GET / HTTP/1.1\r\nHost: a\r\n';
  it.each<[name: string, limits: Partial<Limits>, sent: string, status: number]>([
    ['head in one write', { headBytes: 1000 }, `${line}A: ${'b'.repeat(1000)}\r\n\r\n`, 431],
    ['head without end', { headBytes: 1000 }, `${line}A: ${'b'.repeat(1000)}`, 431],
    ['head in empty lines', { headBytes: 1000 }, '\r\n'.repeat(1000), 431],
    ['head in one name', { headBytes: 1000 }, `${line}${'b'.repeat(1000)}`, 431],
    ['fields', { fields: 10 }, `${line}${'A: b\r\n'.repeat(10)}\r\n`, 431],
    ['fields without end', { fields: 10 }, `${line}${'A: b\r\n'.repeat(12)}`, 431],
    ['target', { targetBytes: 100 }, `GET /${'a'.repeat(100)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
    ['target without end', { targetBytes: 100 }, `GET /${'a'.repeat(110)}`, 414],
    ['target beyond the head, too', { headBytes: 200 }, `GET /${'a'.repeat(9000)}`, 414],
    ['default target', {}, `GET /${'a'.repeat(8200)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
    ['default fields', {}, `${line}${'A: b\r\n'.repeat(100)}\r\n`, 431],
    ['default head', {}, `${line}A: ${'b'.repeat(33_000)}\r\n\r\n`, 431],
    [
      'body by Content-Length',
      { bodyBytes: 100 },
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n',
      413,
    ],
  ])('%s', async (_name, limits, sent, status) => {
    const client = await start(limits);
    client.write(sent);
    const answer = await client.message();
    expect(statusOf(answer)).toBe(status);
    expect(valuesOf(answer.fields, 'connection')).toEqual(['close']);
    expect(await client.close()).toBe('end');
    expect(backend.connections).toHaveLength(0);
    client.end();
  });

  it.each<[name: string, limits: Partial<Limits>, sent: string]>([
    ['fields', { fields: 10 }, `${line}${'A: b\r\n'.repeat(9)}\r\n`],
    ['target', { targetBytes: 101 }, `GET /${'a'.repeat(100)} HTTP/1.1\r\nHost: a\r\n\r\n`],
    ['body', { bodyBytes: 5 }, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello'],
    ['head', {}, `${line}A: ${'b'.repeat(32_000)}\r\n\r\n`],
  ])('%s just within the limit passes', async (_name, limits, sent) => {
    const client = await start(limits);
    client.write(sent);
    expect(statusOf(await client.message())).toBe(200);
    client.end();
  });

  it('chunked body, counted without its framing', async () => {
    const client = await start({ bodyBytes: 10 });
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    client.write(`${head}${'1\r\nx\r\n'.repeat(10)}0\r\n\r\n`);
    expect(statusOf(await client.message())).toBe(200);
    client.write(`${head}${'1\r\nx\r\n'.repeat(9)}`);
    const upstream = await backend.connection(0);
    const second = () => upstream.all.split('\r\n\r\n').slice(3).join('');
    await upstream.until('nine bytes more', () => second().match(/x/g)?.length === 9);
    client.write('2\r\nxx\r\n');
    expect(statusOf(await client.message())).toBe(413);
    expect(await client.close()).toBe('end');
    expect(await upstream.close()).toMatch(/end|ECONNRESET/);
    client.end();
  });

  it('body that is too long behind the start of a response: cut', async () => {
    backend.script = {
      connection: async (peer) => {
        await peer.head();
        peer.write(`${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n`);
      },
    };
    const client = await start({ bodyBytes: 10 });
    client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.text('hi');
    client.write('b\r\nhello world\r\n');
    expect(await client.close()).toBe('ECONNRESET');
  });

  it('connections: the one too many is closed, the others serve', async () => {
    const first = await start({ connections: 2 });
    const second = await connectTo(gateway.port);
    first.write(get);
    second.write(get);
    expect(statusOf(await first.message())).toBe(200);
    expect(statusOf(await second.message())).toBe(200);
    const third = await connectTo(gateway.port);
    third.write(get);
    expect(await third.close()).toMatch(/end|ECONNRESET/);
    expect(third.bytes).toHaveLength(0);
    first.end();
    await expect.poll(() => gateway.connections(), patient).toBe(1);
    const fourth = await connectTo(gateway.port);
    fourth.write(get);
    expect(statusOf(await fourth.message())).toBe(200);
    fourth.end();
    second.end();
  });
});

describe('time', () => {
  it('for a head: 408 (RFC 9110 section 15.5.9)', async () => {
    const client = await start({ headTimeout: 100 });
    client.write('GET / HTTP/1.1\r\nHost:');
    expect(statusOf(await client.message())).toBe(408);
    expect(await client.close()).toBe('end');
    client.end();
  });

  it('for a head runs from its first byte, however the others drip', async () => {
    const client = await start({ headTimeout: 200 });
    const started = performance.now();
    const drip = setInterval(() => client.write('A: b\r\n'), 20);
    client.write('GET / HTTP/1.1\r\nHost: a\r\n');
    expect(statusOf(await client.message())).toBe(408);
    clearInterval(drip);
    expect(performance.now() - started).toBeLessThan(1000);
    client.end();
  });

  it('for a head also on a connection that was used', async () => {
    const client = await start({ headTimeout: 100 });
    client.write(get);
    await client.message();
    client.write('G');
    expect(statusOf(await client.message())).toBe(408);
    client.end();
  });

  it('between requests: closed without a word', async () => {
    const client = await start({ keepAliveTimeout: 100 });
    client.write(get);
    await client.message();
    expect(await client.close()).toBe('end');
    expect(client.bytes).toHaveLength(0);
    client.end();
  });

  it('before the first request: closed without a word', async () => {
    const client = await start({ keepAliveTimeout: 100 });
    expect(await client.close()).toBe('end');
    expect(client.all).toBe('');
    client.end();
  });

  it('for the whole request: 504 before the head', async () => {
    backend.script = { connection: () => undefined };
    const client = await start({}, { timeouts: { request: 150 } });
    client.write(get);
    expect(statusOf(await client.message())).toBe(504);
    expect(await (await backend.connection(0)).close()).toMatch(/end|ECONNRESET/);
    // The client did nothing wrong.
    backend.script = answering(`${ok}Content-Length: 0\r\n\r\n`);
    client.write(get);
    expect(statusOf(await client.message())).toBe(200);
    client.end();
  });

  it('for the whole request: cut behind the head, although bytes flow', async () => {
    backend.script = {
      connection: async (peer) => {
        await peer.head();
        peer.write(`${ok}Content-Length: 1000\r\n\r\n`);
        const drip = setInterval(() => peer.write('x'), 20);
        peer.socket.on('close', () => clearInterval(drip));
      },
    };
    const client = await start({}, { timeouts: { request: 200 } });
    client.write(get);
    expect(await client.close()).toBe('ECONNRESET');
    expect(client.all).toContain('\r\n\r\nx');
  });

  it('for the head of the response: 504', async () => {
    backend.script = { connection: () => undefined };
    const client = await start({}, { timeouts: { backendRequest: 150 } });
    client.write(get);
    expect(statusOf(await client.message())).toBe(504);
    client.end();
  });

  it('for the head of the response does not limit its body', async () => {
    backend.script = {
      connection: async (peer) => {
        await peer.head();
        peer.write(`${ok}Content-Length: 4\r\n\r\n`);
        setTimeout(() => peer.write('late'), 300);
      },
    };
    const client = await start({}, { timeouts: { backendRequest: 100 } });
    client.write(get);
    expect((await client.message()).body.toString()).toBe('late');
    client.end();
  });

  it('of silence in an upload: 408', async () => {
    backend.script = { connection: () => undefined };
    const client = await start({}, { timeouts: { idle: 150 } });
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234');
    expect(statusOf(await client.message())).toBe(408);
    expect(await client.close()).toBe('end');
    expect(await (await backend.connection(0)).close()).toMatch(/end|ECONNRESET/);
    client.end();
  });

  it('of silence in a response: cut', async () => {
    backend.script = {
      connection: async (peer) => {
        await peer.head();
        peer.write(`${ok}Content-Length: 10\r\n\r\n01234`);
      },
    };
    const client = await start({}, { timeouts: { idle: 150 } });
    client.write(get);
    expect(await client.close()).toBe('ECONNRESET');
    expect(client.all).toMatch(/01234$/);
  });

  it('without limits the deadlines of the connection do not end an exchange', async () => {
    backend.script = {
      connection: async (peer) => {
        await peer.head();
        setTimeout(() => peer.write(`${ok}Content-Length: 4\r\n\r\nlate`), 400);
      },
    };
    const client = await start({ keepAliveTimeout: 100, headTimeout: 100 });
    await client.writePieces(['GET / HT', get.slice(8)]);
    expect((await client.message()).body.toString()).toBe('late');
    client.end();
  });
});

describe('an upstream that cannot be reached', () => {
  it('refuses: 502', async () => {
    const client = await start({}, {}, await refusedPort());
    client.write(get);
    const answer = await client.message();
    expect(statusOf(answer)).toBe(502);
    expect(answer.body.toString()).toBe('{"error":"Bad gateway"}');
    client.write(get);
    expect(statusOf(await client.message())).toBe(502);
    client.end();
  });

  it('does not answer to the connection: 504', async () => {
    // TEST-NET-1 (RFC 5737): nobody is there, or the network says so at once.
    gateway = await startGateway({
      rules: [forwardRule('nobody')],
      upstreams: {
        nobody: { endpoints: [{ address: '192.0.2.1', port: 9 }], connectTimeout: 150 },
      },
    });
    const client = await connectTo(gateway.port);
    client.write(get);
    expect([502, 504]).toContain(statusOf(await client.message()));
    client.end();
  });
});
