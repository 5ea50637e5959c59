import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answering, type RawBackend, startBackend } from '../testing/backend.ts';
import { connectTo } from '../testing/client.ts';
import { startGatewayTo, type TestGateway } from '../testing/gateway.ts';
import { statusOf, valuesOf } from '../testing/message.ts';
import { patient } from '../testing/peer.ts';
import { forwardRule, prefixMatch } from '../testing/snapshot.ts';

let backend: RawBackend;
let other: RawBackend;
let gateway: TestGateway;

beforeAll(async () => {
  backend = await startBackend();
  other = await startBackend();
  gateway = await startGatewayTo(backend, {
    rules: [
      forwardRule('backend'),
      forwardRule('two', { prefix: '/two' }),
      forwardRule('hinted', { prefix: '/hinted' }),
      {
        name: 'huge',
        matches: [prefixMatch('/huge')],
        action: { case: 'respond', value: { status: 200, body: Buffer.alloc(huge) } },
      },
    ],
    upstreams: {
      backend: { endpoints: [{ port: backend.port }] },
      two: { endpoints: [{ port: backend.port }, { port: other.port }] },
      hinted: { endpoints: [{ port: backend.port }], idleTimeout: 60_000 },
    },
  });
});
beforeEach(() => {
  for (const server of [backend, other]) {
    server.reset();
    server.script = answering(fine);
  }
});
afterAll(async () => {
  await gateway.close();
  await backend.close();
  await other.close();
});

const huge = 4_000_000;
const ok = 'HTTP/1.1 200 OK\r\n';
const fine = `${ok}Content-Length: 4\r\n\r\nfine`;
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const upload = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n';

describe('Expect: 100-continue (RFC 9110 section 10.1.1)', () => {
  const expecting =
    'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n';

  it('passes the expectation and the 100 on, then the body', async () => {
    backend.script = {
      connection: async (peer) => {
        expect(await peer.head()).toContain('\r\nExpect: 100-Continue\r\n');
        peer.write('HTTP/1.1 100 Continue\r\n\r\n');
        expect((await peer.message()).body.toString()).toBe('hello');
        peer.write(fine);
      },
    };
    const client = await connectTo(gateway.port);
    client.write(expecting);
    expect((await client.message()).raw).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    client.write('hello');
    expect(statusOf(await client.message())).toBe(200);
    client.write(get);
    client.end();
  });

  it('closes in order behind a final status: whether the body comes is not known', async () => {
    backend.script = {
      connection: async (peer) => {
        await peer.head();
        peer.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno');
      },
    };
    const client = await connectTo(gateway.port);
    client.write(expecting);
    const answer = await client.message();
    expect(statusOf(answer)).toBe(401);
    expect(valuesOf(answer.fields, 'connection')).toEqual(['close']);
    expect(await client.close()).toBe('end');
    client.end();
    expect(await (await backend.connection(0)).close()).toMatch(/end|ECONNRESET/);
  });

  it('closes behind an answer of the gateway too', async () => {
    backend.script = { connection: (peer) => peer.reset() };
    const client = await connectTo(gateway.port);
    client.write(expecting);
    const answer = await client.message();
    expect(statusOf(answer)).toBe(502);
    expect(valuesOf(answer.fields, 'connection')).toEqual(['close']);
    expect(await client.close()).toBe('end');
    client.end();
  });
});

describe('an early response', () => {
  it('while the body uploads reaches the client, the connection closes in order', async () => {
    backend.script = {
      connection: async (peer) => {
        await peer.head();
        peer.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig');
      },
    };
    const client = await connectTo(gateway.port);
    const size = 1_000_000;
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    client.write(Buffer.alloc(1000));
    const answer = await client.message();
    expect(statusOf(answer)).toBe(413);
    expect(valuesOf(answer.fields, 'connection')).toEqual(['close']);
    expect(answer.body.toString()).toBe('big');
    // What is still on its way is read, so that no reset takes the answer away.
    client.write(Buffer.alloc(size - 1000));
    expect(await client.close()).toBe('end');
    expect(client.error).toBe('');
    client.end();
  });

  it('with the connection of the upstream closed behind it', async () => {
    backend.script = {
      connection: async (peer) => {
        await peer.head();
        peer.write(`HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig`);
        peer.end();
      },
    };
    const client = await connectTo(gateway.port);
    client.write(upload);
    expect(statusOf(await client.message())).toBe(413);
    expect(await client.close()).toBe('end');
    client.end();
  });

  it('may stream while the upload goes on', async () => {
    backend.script = {
      connection: async (peer) => {
        await peer.head();
        peer.write(`${ok}Transfer-Encoding: chunked\r\n\r\n`);
        for (const piece of ['ab', 'cd']) {
          await peer.text(piece);
          peer.write(`2\r\n${piece}\r\n`);
        }
        await peer.text('0\r\n\r\n');
        peer.write('0\r\n\r\n');
      },
    };
    const client = await connectTo(gateway.port);
    client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.head();
    client.write('2\r\nab\r\n');
    await client.text('2\r\nab\r\n');
    client.write('2\r\ncd\r\n');
    await client.text('2\r\ncd\r\n');
    client.write('0\r\n\r\n');
    expect((await client.message()).body.toString()).toBe('abcd');
    expect(await client.close()).toBe('end');
    client.end();
  });

  it('of the gateway leaves the connection usable when the rest of the body is short', async () => {
    backend.script = { connection: (peer) => peer.reset() };
    const client = await connectTo(gateway.port);
    client.write(`${upload}01234`);
    expect(statusOf(await client.message())).toBe(502);
    backend.script = answering(fine);
    client.write(`56789${get}`);
    expect((await client.message()).body.toString()).toBe('fine');
    client.end();
  });
});

describe('a connection that is reused', () => {
  /** Serves one request, and closes or resets the connection when the next one arrives. */
  async function closingOnReuse(server: RawBackend, how: 'end' | 'reset', after = '') {
    server.script = {
      connection: async (peer, index) => {
        const first = await peer.message();
        server.requests.push(first);
        peer.write(fine);
        if (index > 0) return;
        await peer.head();
        if (after !== '') peer.write(after);
        if (how === 'end') peer.end();
        else peer.reset();
      },
    };
    const client = await connectTo(gateway.port);
    client.write(get);
    await client.message();
    return client;
  }

  it.each(['end', 'reset'] as const)(
    'and closed at that moment (%s): GET is sent again',
    async (how) => {
      const client = await closingOnReuse(backend, how);
      client.write('GET /again HTTP/1.1\r\nHost: a\r\n\r\n');
      expect((await client.message()).body.toString()).toBe('fine');
      expect(backend.connections).toHaveLength(2);
      expect(backend.requests.map(({ startLine }) => startLine)).toEqual([
        'GET / HTTP/1.1',
        'GET /again HTTP/1.1',
      ]);
      client.end();
    },
  );

  it.each(['PUT', 'DELETE'])(
    'and closed at that moment: %s is sent again with its body',
    async (method) => {
      const client = await closingOnReuse(backend, 'end');
      const body = 'x'.repeat(20_000);
      client.write(`${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n${body}`);
      expect(statusOf(await client.message())).toBe(200);
      expect(backend.requests[1]?.body.toString()).toBe(body);
      client.end();
    },
  );

  it.each(['POST', 'PATCH'])('and closed at that moment: %s is not, 502', async (method) => {
    const client = await closingOnReuse(backend, 'end');
    client.write(`${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi`);
    expect(statusOf(await client.message())).toBe(502);
    expect(backend.connections).toHaveLength(1);
    client.end();
  });

  it('and closed behind the beginning of an answer: nothing is sent again', async () => {
    const client = await closingOnReuse(backend, 'end', 'HTTP/1.1 2');
    client.write(get);
    expect(statusOf(await client.message())).toBe(502);
    expect(backend.connections).toHaveLength(1);
    client.end();
  });

  it('is not used when the upstream has closed it meanwhile, whatever the method', async () => {
    const client = await connectTo(gateway.port);
    client.write(get);
    await client.message();
    const upstream = await backend.connection(0);
    upstream.end();
    await upstream.close();
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi');
    expect(statusOf(await client.message())).toBe(200);
    expect(backend.connections).toHaveLength(2);
    client.end();
  });

  it('a request that fails on a new connection is not sent again', async () => {
    backend.script = {
      connection: async (peer) => {
        await peer.head();
        peer.end();
      },
    };
    const client = await connectTo(gateway.port);
    client.write(get);
    expect(statusOf(await client.message())).toBe(502);
    expect(backend.connections).toHaveLength(1);
    client.end();
  });

  it('serves one request at a time', async () => {
    const clients = await Promise.all([1, 2, 3].map(() => connectTo(gateway.port)));
    for (const client of clients) client.write(get);
    for (const client of clients) expect(statusOf(await client.message())).toBe(200);
    expect(backend.connections).toHaveLength(3);
    for (const client of clients) client.write(get);
    for (const client of clients) expect(statusOf(await client.message())).toBe(200);
    expect(backend.connections).toHaveLength(3);
    for (const client of clients) client.end();
  });

  it('is closed a second before the upstream said it would (Keep-Alive: timeout)', async () => {
    backend.script = answering(
      `${ok}Keep-Alive: timeout=1, max=100\r\nContent-Length: 4\r\n\r\nfine`,
    );
    const client = await connectTo(gateway.port);
    client.write('GET /hinted HTTP/1.1\r\nHost: a\r\n\r\n');
    const started = performance.now();
    await client.message();
    await (await backend.connection(0)).close();
    const lasted = performance.now() - started;
    expect(lasted).toBeGreaterThan(400);
    expect(lasted).toBeLessThan(1000);
    client.end();
  });
});

describe('a client that goes away', () => {
  const ways = [
    ['closes', (peer: { end(): void }) => peer.end()],
    ['resets', (peer: { reset(): void }) => peer.reset()],
  ] as const;

  it.each(ways)('%s while the response is due: the upstream sees it', async (_name, go) => {
    backend.script = { connection: () => undefined };
    const client = await connectTo(gateway.port);
    client.write(get);
    const upstream = await backend.connection(0);
    await upstream.head();
    const started = performance.now();
    go(client);
    expect(await upstream.close()).toMatch(/end|ECONNRESET/);
    expect(performance.now() - started).toBeLessThan(500);
    await expect.poll(() => gateway.metrics(), patient).toContain('status="499"');
  });

  it.each(ways)('%s mid-upload: the upstream sees it', async (_name, go) => {
    backend.script = { connection: () => undefined };
    const client = await connectTo(gateway.port);
    client.write(`${upload}01234`);
    const upstream = await backend.connection(0);
    await upstream.text('01234');
    go(client);
    expect(await upstream.close()).toMatch(/end|ECONNRESET/);
    expect(upstream.all).not.toContain('012345');
  });

  it.each(ways)('%s mid-upload of chunks: no last chunk is made up', async (_name, go) => {
    backend.script = { connection: () => undefined };
    const client = await connectTo(gateway.port);
    client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
    const upstream = await backend.connection(0);
    await upstream.text('5\r\nhello\r\n');
    go(client);
    expect(await upstream.close()).toMatch(/end|ECONNRESET/);
    expect(upstream.all).not.toContain('0\r\n\r\n');
  });

  it.each(ways)('%s mid-download: the upstream sees it', async (_name, go) => {
    backend.script = {
      connection: async (peer) => {
        await peer.head();
        peer.write(`${ok}Content-Length: 1000000\r\n\r\nstart`);
      },
    };
    const client = await connectTo(gateway.port);
    client.write(get);
    await client.text('start');
    const upstream = await backend.connection(0);
    go(client);
    expect(await upstream.close()).toMatch(/end|ECONNRESET/);
  });

  it('resets while it does not read a long download: the upstream sees it', async () => {
    backend.script = {
      connection: async (peer) => {
        await peer.head();
        peer.write(`${ok}Content-Length: 100000000\r\n\r\n`);
        peer.write(Buffer.alloc(30_000_000));
      },
    };
    const client = await connectTo(gateway.port);
    client.socket.pause();
    client.write(get);
    const upstream = await backend.connection(0);
    await expect.poll(() => upstream.socket.writableLength, { interval: 50 }).toBeGreaterThan(0);
    client.reset();
    expect(await upstream.close()).toMatch(/end|ECONNRESET|EPIPE/);
  });

  it('resets with a request half sent', async () => {
    const client = await connectTo(gateway.port);
    await client.writePieces(['GET / HT', 'TP/1.1\r\nHo']);
    client.reset();
    await expect.poll(() => gateway.connections(), patient).toBe(0);
    expect(backend.connections).toHaveLength(0);
  });
});

describe('responses that their client takes slowly', () => {
  const count = 6;
  const request = 'GET /huge HTTP/1.1\r\nHost: a\r\n';

  /** Asks for more than sockets buffer, and takes just enough of it for the last one to be answered. */
  async function lastOneWritten(last: string) {
    const before = hugeOnes();
    const client = await connectTo(gateway.port);
    client.counting = true;
    client.socket.pause();
    client.write(`${`${request}\r\n`.repeat(count - 1)}${request}${last}\r\n`);
    while (hugeOnes() < before + count) {
      client.socket.resume();
      await new Promise((resolve) => setImmediate(resolve));
      client.socket.pause();
    }
    expect(client.total).toBeLessThan(count * huge);
    return client;
  }

  function hugeOnes(): number {
    return Number(/gateway_requests_total\{.*huge.*\} (\d+)/.exec(gateway.metrics())?.[1] ?? 0);
  }

  it('arrive whole before the connection closes, however long that takes', async () => {
    const client = await lastOneWritten('Connection: close\r\n');
    // Longer than a client gets that has been sent everything.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    client.socket.resume();
    await client.until('all of them', ({ total }) => total > count * huge);
    expect(await client.close()).toBe('end');
    client.end();
  });

  it('arrive whole at a client that has said that it asks no more', async () => {
    const client = await lastOneWritten('');
    client.end();
    await new Promise((resolve) => setTimeout(resolve, 50));
    client.socket.resume();
    await client.until('all of them', ({ total }) => total > count * huge);
    expect(await client.close()).toBe('end');
  });
});

describe('endpoints that refuse', () => {
  it('are passed over for others', async () => {
    const port = other.port;
    await other.close();
    const client = await connectTo(gateway.port);
    for (let i = 0; i < 6; i++) {
      client.write('POST /two HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi');
      expect(statusOf(await client.message())).toBe(200);
    }
    expect(backend.requests).toHaveLength(6);
    expect(port).toBeGreaterThan(0);
    client.end();
    other = await startBackend();
  });
});
