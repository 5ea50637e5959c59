import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answering, type RawBackend, startBackend } from '../testing/backend.ts';
import { connectTo } from '../testing/client.ts';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import { type Message, readMessage, statusOf, withoutOwnLines } from '../testing/message.ts';
import { patient } from '../testing/peer.ts';
import { forwardRule, prefixMatch } from '../testing/snapshot.ts';

let backend: RawBackend;
let gateway: TestGateway;

/** Answers with the request line and the length of the body, in the framing that the path asks for. */
function echo(request: Message): string {
  const [method = '', target = ''] = request.startLine.split(' ');
  const body = method === 'HEAD' ? '' : `${target} ${request.body.length}`;
  if (target.startsWith('/chunked')) {
    const half = body.length >> 1;
    const pieces = [body.slice(0, half), body.slice(half)].filter((piece) => piece !== '');
    const chunks = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('');
    return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${method === 'HEAD' ? '' : `${chunks}0\r\n\r\n`}`;
  }
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

beforeAll(async () => {
  backend = await startBackend();
  gateway = await startGateway({
    rules: [
      forwardRule('backend'),
      {
        name: 'respond',
        matches: [prefixMatch('/respond')],
        action: { case: 'respond', value: { status: 200, body: Buffer.from('own') } },
      },
      {
        name: 'large',
        matches: [prefixMatch('/respond/large')],
        action: { case: 'respond', value: { status: 200, body: Buffer.alloc(4096, 'x') } },
      },
    ],
    upstreams: { backend: { endpoints: [{ port: backend.port }] } },
  });
});
beforeEach(() => {
  backend.reset();
  backend.script = { request: (request, peer) => peer.write(echo(request)) };
});
afterAll(async () => {
  await gateway.close();
  await backend.close();
});

describe('pipelined requests (RFC 9112 section 9.3.2)', () => {
  it('are answered in order: 200 in one write', async () => {
    const client = await connectTo(gateway.port);
    const count = 200;
    client.write(
      Array.from({ length: count }, (_, i) => `GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''),
    );
    for (let i = 0; i < count; i++) {
      expect((await client.message()).body.toString()).toBe(`/${i} 0`);
    }
    expect(backend.requests.map(({ startLine }) => startLine.split(' ')[1])).toEqual(
      Array.from({ length: count }, (_, i) => `/${i}`),
    );
    client.end();
  });

  it('with bodies of every framing, answered by the gateway and by upstreams', async () => {
    const client = await connectTo(gateway.port);
    const post = (path: string, body: string) =>
      `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    client.write(
      [
        post('/1', 'GET /evil HTTP/1.1\r\nHost: a\r\n\r\n'),
        'POST /chunked/2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n',
        'GET /respond HTTP/1.1\r\nHost: a\r\n\r\n',
        post('/respond', 'a body that nobody needs'),
        'GET /chunked/3 HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
        post('/4', 'x'.repeat(100_000)),
        'GET /5 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
        'GET /6 HTTP/1.1\r\nHost: a\r\n\r\n',
      ].join(''),
    );
    const bodies = ['/1 31', '/chunked/2 3', 'own', 'own', '/chunked/3 0', '/4 100000', '/5 0'];
    for (const body of bodies) expect((await client.message()).body.toString()).toBe(body);
    // What came behind the request that closes is not answered (RFC 9112 section 9.6).
    expect(await client.close()).toBe('end');
    expect(client.bytes).toHaveLength(0);
    expect(backend.requests).toHaveLength(5);
    client.end();
  });

  it('behind a refused one are not read', async () => {
    const client = await connectTo(gateway.port);
    client.write(
      'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    expect(statusOf(await client.message())).toBe(200);
    expect(statusOf(await client.message())).toBe(400);
    expect(await client.close()).toBe('end');
    expect(backend.requests.map(({ startLine }) => startLine)).toEqual(['GET /1 HTTP/1.1']);
    client.end();
  });

  it('behind garbage are not read, the answer due comes first', async () => {
    const client = await connectTo(gateway.port);
    client.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\x00\x01GET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.message()).body.toString()).toBe('/1 0');
    expect(statusOf(await client.message())).toBe(400);
    expect(await client.close()).toBe('end');
    client.end();
  });

  it('wait while their client does not read what is due', async () => {
    backend.script = answering(
      `HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(100_000)}`,
    );
    const client = await connectTo(gateway.port);
    client.socket.pause();
    const count = 400;
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(count));
    const served = await plateau(() => backend.requests.length);
    // 40 MB are due; no more than the buffers of the kernel and one response have been fetched.
    expect(served).toBeLessThan(count / 2);
    client.counting = true;
    client.socket.resume();
    await client.until('all responses', ({ total }) => total > count * 100_000);
    expect(backend.requests).toHaveLength(count);
    client.end();
  });

  it('that the gateway answers itself wait too', async () => {
    const client = await connectTo(gateway.port);
    client.socket.pause();
    const count = 10_000;
    client.write('GET /respond/large HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(count));
    const served = await plateau(largeOnes);
    // 40 MB are due; no more have been made than the buffers of the kernel hold.
    expect(served).toBeGreaterThan(0);
    expect(served).toBeLessThan(count / 2);
    client.counting = true;
    client.socket.resume();
    await client.until('all responses', ({ total }) => total > count * 4096);
    await expect.poll(largeOnes, patient).toBe(count);
    client.end();
  });

  /** Requests that the rule with the large answer has served. */
  function largeOnes(): number {
    return Number(/gateway_requests_total\{.*large.*\} (\d+)/.exec(gateway.metrics())?.[1] ?? 0);
  }

  /** The value of a count that has stopped rising. */
  async function plateau(count: () => number): Promise<number> {
    let last = -1;
    await expect
      .poll(
        () => {
          const before = last;
          last = count();
          return last > 0 && last === before;
        },
        { interval: 150, ...patient },
      )
      .toBe(true);
    return last;
  }
});

describe('a stream of requests', () => {
  const stream = [
    'GET /a HTTP/1.1\r\nHost: a\r\nEmpty:\r\n\r\n',
    'POST /b HTTP/1.1\r\nHost: b:81\r\nContent-Length: 5\r\n\r\nhello',
    '\r\nPOST /chunked/c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: x-y\r\nX-Y: z\r\n\r\n3;e="\\""\r\nabc\r\n00\r\nTrail: er\r\nEmpty:\r\n\r\n',
    'HEAD http://c/d?e HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /chunked/f HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  ].join('');

  /** The answers, told apart by what was asked: the fourth was HEAD. */
  function answersIn(all: string) {
    const answers: unknown[] = [];
    let rest = Buffer.from(all, 'latin1');
    while (rest.length > 0) {
      const message = readMessage(rest, { noBody: answers.length === 3 });
      if (!message) throw new Error(`No answer: ${rest.toString('latin1')}`);
      const fields = message.fields.filter(([name]) => name !== 'x-request-id' && name !== 'date');
      answers.push([message.startLine, fields, message.body.toString('latin1')]);
      rest = rest.subarray(message.raw.length);
    }
    return answers;
  }

  async function run(pieces: string[]) {
    backend.reset();
    const client = await connectTo(gateway.port);
    await client.writePieces(pieces);
    await client.close();
    client.end();
    return {
      upstream: backend.requests.map(({ head, body, trailers }) => [
        withoutOwnLines(head),
        body.toString('latin1'),
        trailers,
      ]),
      client: answersIn(client.all),
    };
  }

  it('gives the same result split at any one byte', async () => {
    const whole = await run([stream]);
    expect(whole.upstream).toHaveLength(5);
    for (let at = 1; at < stream.length; at++) {
      expect(await run([stream.slice(0, at), stream.slice(at)])).toEqual(whole);
    }
  });

  it('gives the same result however it is split', async () => {
    const whole = await run([stream]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(stream.length), { maxLength: 40 }).map((cuts) => {
          const points = [...new Set([0, ...cuts, stream.length])].sort((a, b) => a - b);
          return points.slice(1).map((end, i) => stream.slice(points[i], end));
        }),
        async (pieces) => {
          expect(await run(pieces)).toEqual(whole);
        },
      ),
      { numRuns: 60 },
    );
    expect(await run([...stream])).toEqual(whole);
  });

  it('gives the same result however the answers are split', async () => {
    const whole = await run([stream]);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), async (size) => {
        backend.script = {
          request: (request, peer) => {
            const answer = echo(request);
            void peer.writePieces(answer.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []);
          },
        };
        expect(await run([stream])).toEqual(whole);
      }),
      { numRuns: 25 },
    );
  });
});
