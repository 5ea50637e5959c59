import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RawBackend, startBackend } from '../testing/backend.ts';
import { connectTo } from '../testing/client.ts';
import { startGatewayTo, type TestGateway } from '../testing/gateway.ts';
import { type Message, readMessage, statusOf, valuesOf } from '../testing/message.ts';
import { forwardRule } from '../testing/snapshot.ts';

let backend: RawBackend;
let gateway: TestGateway;

const fine = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine';

beforeAll(async () => {
  backend = await startBackend();
  gateway = await startGatewayTo(backend, {
    rules: [forwardRule('backend', { timeouts: { idle: 100, backendRequest: 300 } })],
    limits: { headTimeout: 100, keepAliveTimeout: 100 },
  });
});
beforeEach(() => {
  backend.reset();
  backend.script = { request: (_request, peer) => peer.write(fine) };
});
afterAll(async () => {
  await gateway.close();
  await backend.close();
});

/** Sends bytes and waits for the gateway to close. Returns everything that was answered. */
async function send(bytes: Buffer): Promise<string> {
  const client = await connectTo(gateway.port);
  client.write(bytes);
  await client.close();
  client.end();
  return client.all;
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

/** Whatever came, the gateway serves. */
async function expectServing() {
  const client = await connectTo(gateway.port);
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  expect((await client.message()).body.toString()).toBe('fine');
  client.end();
}

const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));

/** Pieces that a parser takes for something, in any order. */
const scrap = fc
  .array(
    fc.constantFrom(
      ...'GET |POST |HEAD |OPTIONS |CONNECT |/|/a?b|*|http://b/| HTTP/1.1|HTTP/1.0| HTTP/2.0|\r\n|\r\n|\r\n\r\n|\n|\r|\0|\t| |:|Host: a\r\n|Host: b\r\n|Content-Length: 5\r\n|Content-Length: 0\r\n|Transfer-Encoding: chunked\r\n|Transfer-Encoding: \r\n|Connection: close\r\n|Connection: host\r\n|Expect: 100-continue\r\n|Upgrade: h2c\r\n|5\r\n|0\r\n\r\n|hello|;ext|ffffffffffffffff\r\n|X: y\r\n| folded\r\n|\xe9'.split(
        '|',
      ),
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: a\r\n',
    ),
    { maxLength: 16 },
  )
  .map((pieces) => Buffer.from(pieces.join(''), 'latin1'));

/**
 * Every head that the upstream's reader, which is not ours, finds was written by the gateway: a request
 * that was smuggled in a body would come without its lines.
 */
function expectOurs(request: Message) {
  expect(valuesOf(request.fields, 'x-request-id')).toHaveLength(1);
  expect(valuesOf(request.fields, 'via')).toContain('1.1 gatehouse');
  expect(valuesOf(request.fields, 'host')).toHaveLength(1);
}

describe('bytes of strangers', () => {
  it.each([
    ['noise', noise],
    ['scraps of requests', scrap],
  ] as const)('%s: each connection ends, each request is answered once', async (_name, bytes) => {
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { minLength: 40, maxLength: 40 }), async (inputs) => {
        backend.reset();
        const answers = await Promise.all(inputs.map(send));
        backend.requests.forEach(expectOurs);
        const served = answers.reduce((sum, answer) => sum + count(answer, '\r\n\r\nfine'), 0);
        const claims = inputs.reduce((sum, input) => sum + count(`${input}`, 'HTTP/1.'), 0);
        expect(backend.requests.length).toBeGreaterThanOrEqual(served);
        expect(backend.requests.length).toBeLessThanOrEqual(claims);
      }),
      { numRuns: 12 },
    );
    await expectServing();
  });

  it('a request with one byte changed is one request, another one, or none', async () => {
    const inner = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
    const outer = [
      `POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`,
      `POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
      `GET /x HTTP/1.1\r\nHost: a\r\nA: b\r\nConnection: c\r\n\r\n`,
    ];
    const mutation = fc.record({
      text: fc.constantFrom(...outer),
      at: fc.nat(200),
      cut: fc.constantFrom(0, 1, 1, 2),
      put: fc.constantFrom(
        '',
        '\r',
        '\n',
        '\r\n',
        ' ',
        '\t',
        '\0',
        '0',
        'a',
        ':',
        ',',
        '\x0b',
        '\xa0',
        '_',
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 60, maxLength: 60 }), async (mutations) => {
        backend.reset();
        const inputs = mutations.map(({ text, at, cut, put }) => {
          const from = at % text.length;
          return Buffer.from(text.slice(0, from) + put + text.slice(from + cut), 'latin1');
        });
        await Promise.all(inputs.map(send));
        backend.requests.forEach(expectOurs);
      }),
      { numRuns: 12 },
    );
    await expectServing();
  });
});

const token = fc
  .stringMatching(/^[!#$%&'*+.^`|~0-9A-Za-z-]{1,12}$/)
  .filter(
    (name) =>
      !/^(?:te|date|host|trailer|upgrade|expect|connection|keep-alive|forwarded|via|content-length|transfer-encoding|http2-settings|x-request-id|x-forwarded-.*|proxy-.*)$/i.test(
        name,
      ),
  );
const value = fc.stringMatching(/^(?:[!-~\x80-\xff](?:[ -~\t\x80-\xff]{0,20}[!-~\x80-\xff])?)?$/);
const fields = fc.array(fc.tuple(token, value), { maxLength: 8 });
const body = fc.oneof(
  fc.constant(undefined),
  fc.record({ bytes: fc.uint8Array({ maxLength: 300 }), chunk: fc.nat(64) }),
);
const path = fc.stringMatching(/^\/(?:[a-z0-9_~-]{1,6}\/){0,3}[a-z0-9]{0,4}$/);

type Content = { bytes: Uint8Array; chunk: number } | undefined;

/** A body with its framing: `chunk` 0 stands for Content-Length. */
function framed(content: Content): { line: string; text: string } {
  if (!content) return { line: '', text: '' };
  const text = Buffer.from(content.bytes).toString('latin1');
  if (content.chunk === 0) return { line: `Content-Length: ${text.length}\r\n`, text };
  let out = '';
  for (let i = 0; i < text.length; i += content.chunk) {
    const piece = text.slice(i, i + content.chunk);
    out += `${piece.length.toString(16)}\r\n${piece}\r\n`;
  }
  return { line: 'Transfer-Encoding: chunked\r\n', text: `${out}0\r\n\r\n` };
}

function lines(list: [string, string][]): string {
  return list.map(([name, text]) => `${name}: ${text}\r\n`).join('');
}

/** The fields of a message that are not the gateway's or about framing. */
function foreign(message: Message) {
  return message.fields.filter(
    ([name]) =>
      !/^(?:date|host|content-length|transfer-encoding|via|forwarded|x-forwarded-\w+|x-request-id)$/i.test(
        name,
      ),
  );
}

describe('valid messages', () => {
  it('make the round trip with every field and byte', async () => {
    const exchange = fc.record({
      method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'),
      path,
      query: fc.stringMatching(/^(?:\?[!$-;=?-~]{0,20})?$/),
      fields,
      body,
      answer: fc.record({ status: fc.constantFrom(200, 201, 301, 404, 500), fields, body }),
      pieces: fc.integer({ min: 1, max: 200 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(exchange, { minLength: 1, maxLength: 6 }), async (exchanges) => {
        backend.reset();
        const client = await connectTo(gateway.port);
        for (const {
          method,
          path: target,
          query,
          fields: sent,
          body: content,
          answer,
          pieces,
        } of exchanges) {
          const reply = framed(answer.body ?? { bytes: new Uint8Array(), chunk: 0 });
          backend.script = {
            request: (_request, peer) =>
              peer.write(
                `HTTP/1.1 ${answer.status} X\r\n${lines(answer.fields)}${reply.line}\r\n${reply.text}`,
              ),
          };
          const request = framed(content);
          const bytes = `${method} ${target}${query} HTTP/1.1\r\n${lines(sent)}Host: a\r\n${request.line}\r\n${request.text}`;
          await client.writePieces(bytes.match(new RegExp(`[^]{1,${pieces}}`, 'g')) ?? []);
          const got = await client.message();
          expect(statusOf(got)).toBe(answer.status);
          expect(foreign(got)).toEqual(answer.fields);
          expect([...got.body]).toEqual([...(answer.body?.bytes ?? [])]);
          const seen = backend.requests.at(-1)!;
          const wanted = query === '?' ? target : target + query;
          expect(seen.startLine).toBe(`${method} ${wanted} HTTP/1.1`);
          expect(foreign(seen)).toEqual(sent);
          expect([...seen.body]).toEqual([...(content?.bytes ?? [])]);
        }
        expect(backend.requests).toHaveLength(exchanges.length);
        client.end();
      }),
      { numRuns: 80 },
    );
  });
});

/** Complete responses besides 1xx; nothing may follow the first. */
function finalResponses(answer: string): number {
  let rest = Buffer.from(answer, 'latin1');
  for (;;) {
    const message = readMessage(rest, { closed: true });
    if (!message) return 0;
    rest = rest.subarray(message.raw.length);
    if (statusOf(message) < 200) continue;
    expect(rest).toHaveLength(0);
    return 1;
  }
}

describe('bytes of upstreams', () => {
  it('end the exchange: with an answer, or with a cut connection', async () => {
    const reply = fc
      .array(
        fc.constantFrom(
          ...'HTTP/1.1 200 OK\r\n|HTTP/1.1 100 Continue\r\n\r\n|HTTP/1.1 204 No\r\n|HTTP/1.0 200 OK\r\n|Content-Length: 5\r\n|Content-Length: 0\r\n|Transfer-Encoding: chunked\r\n|Connection: close\r\n|Connection: upgrade\r\n|Upgrade: x\r\n|\r\n|\r\n|5\r\nhello\r\n|0\r\n\r\n|hello|\n|\0|X: y\r\n| folded\r\n|HTTP/1.1 101 Switching\r\n'.split(
            '|',
          ),
        ),
        { maxLength: 8 },
      )
      .map((pieces) => pieces.join(''));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(reply, fc.constantFrom('', 'end', 'reset')), {
          minLength: 30,
          maxLength: 30,
        }),
        async (replies) => {
          backend.reset();
          let next = 0;
          backend.script = {
            request: (_request, peer) => {
              const [bytes, closing] = replies[next++ % replies.length] ?? ['', 'end'];
              peer.write(bytes);
              if (closing === 'end') peer.end();
              if (closing === 'reset') setTimeout(() => peer.reset(), 5);
            },
          };
          const request = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
          const answers = await Promise.all(replies.map(() => send(request)));
          for (const answer of answers) expect(finalResponses(answer)).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 8 },
    );
    backend.script = { request: (_request, peer) => peer.write(fine) };
    await expectServing();
  });
});
