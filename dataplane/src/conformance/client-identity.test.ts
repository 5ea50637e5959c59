import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answering, type RawBackend, startBackend } from '../testing/backend.ts';
import { connectTo } from '../testing/client.ts';
import { startGatewayTo, type TestGateway } from '../testing/gateway.ts';
import { statusOf, valuesOf } from '../testing/message.ts';

let backend: RawBackend;
let gateway: TestGateway;

beforeAll(async () => {
  backend = await startBackend();
  gateway = await startGatewayTo(backend, {
    listeners: [
      { name: 'strict' },
      { name: 'one', hostname: 'one.test', trustedHops: 1 },
      { name: 'two', hostname: 'two.test', trustedHops: 2 },
    ],
  });
});
beforeEach(() => backend.reset());
afterAll(async () => {
  await gateway.close();
  await backend.close();
});

/** Sends a GET with these field lines, and returns the fields that the upstream got. */
async function received(lines: string, request = 'GET / HTTP/1.1') {
  const client = await connectTo(gateway.port);
  client.write(`${request}\r\n${lines}\r\n`);
  const answer = await client.message();
  client.end();
  expect(statusOf(answer)).toBe(200);
  const { fields } = backend.requests.at(-1)!;
  return { answer, of: (name: string) => valuesOf(fields, name) };
}

const spoofed =
  'X-Forwarded-For: 6.6.6.6\r\nx-forwarded-for: 7.7.7.7\r\nX-Forwarded-Proto: https\r\n' +
  'X-Forwarded-Host: evil.test\r\nX-Forwarded-Port: 1\r\nForwarded: for=6.6.6.6;host=evil\r\n' +
  'X_Forwarded_For: 8.8.8.8\r\nx-forwarded_for: 9.9.9.9\r\n';

describe('who the client is', () => {
  it('is what the gateway sees; what it claims is dropped', async () => {
    const { of } = await received(`Host: a.test:81\r\n${spoofed}`);
    expect(of('x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(of('x-forwarded-proto')).toEqual(['http']);
    expect(of('x-forwarded-host')).toEqual(['a.test:81']);
    expect(of('x-forwarded-port')).toEqual([String(gateway.port)]);
    expect(of('forwarded')).toEqual(['for=127.0.0.1;host="a.test:81";proto=http']);
    expect(of('x_forwarded_for')).toEqual([]);
    expect(of('x-forwarded_for')).toEqual([]);
    expect(of('via')).toEqual(['1.1 gatehouse']);
  });

  it.each(['one.test', 'two.test'])(
    'behind trusted proxies is appended to what they say: %s',
    async (host) => {
      const { of } = await received(`Host: ${host}\r\n${spoofed}`);
      expect(of('x-forwarded-for')).toEqual(['6.6.6.6, 7.7.7.7, 127.0.0.1']);
      expect(of('x-forwarded-proto')).toEqual(['https']);
      expect(of('x-forwarded-host')).toEqual(['evil.test']);
      expect(of('x-forwarded-port')).toEqual(['1']);
      expect(of('forwarded')).toEqual([
        `for=6.6.6.6;host=evil, for=127.0.0.1;host="${host}";proto=http`,
      ]);
      expect(of('x_forwarded_for')).toEqual([]);
    },
  );

  it('behind a trusted proxy that says nothing is what the gateway sees', async () => {
    const { of } = await received('Host: one.test\r\nX-Forwarded-For:\r\nForwarded:\r\n');
    expect(of('x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(of('x-forwarded-proto')).toEqual(['http']);
    expect(of('x-forwarded-host')).toEqual(['one.test']);
    expect(of('forwarded')).toEqual(['for=127.0.0.1;host="one.test";proto=http']);
  });

  it('cannot be hidden by nominating the fields in Connection', async () => {
    const { of } = await received(
      'Host: one.test\r\nX-Forwarded-For: 6.6.6.6\r\nConnection: x-forwarded-for, forwarded, via\r\n',
    );
    expect(of('x-forwarded-for')).toEqual(['6.6.6.6, 127.0.0.1']);
    expect(of('via')).toEqual(['1.1 gatehouse']);
  });

  it('keeps the Via of earlier proxies, in order (RFC 9110 section 7.6.3)', async () => {
    const { of } = await received('Host: a\r\nVia: 1.0 fred\r\n');
    expect(of('via')).toEqual(['1.0 fred', '1.1 gatehouse']);
  });

  it('quotes what RFC 7239 section 4 does not allow in a token', async () => {
    const { of } = await received('Host: [2001:db8::1]:81\r\n');
    expect(of('forwarded')).toEqual(['for=127.0.0.1;host="[2001:db8::1]:81";proto=http']);
  });

  it('names the host of an absolute-form, not that of Host', async () => {
    const { of } = await received('Host: a\r\n', 'GET http://b/ HTTP/1.1');
    expect(of('x-forwarded-host')).toEqual(['b']);
    expect(of('host')).toEqual(['b']);
  });

  it('is told anew for each request of a connection', async () => {
    const client = await connectTo(gateway.port);
    for (const host of ['a', 'b', 'a', 'one.test', 'b']) {
      client.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      await client.message();
      expect(valuesOf(backend.requests.at(-1)!.fields, 'x-forwarded-host')).toEqual([host]);
    }
    client.end();
  });
});

describe('the request id', () => {
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

  it.each(['abc', 'A-b_c.d:e/f+g=h@i', '0'.repeat(128), 'abc \t'])('%s is kept', async (id) => {
    const { answer, of } = await received(`Host: a\r\nX-REQUEST-ID: ${id}\r\n`);
    expect(of('x-request-id')).toEqual([id.trim()]);
    expect(valuesOf(answer.fields, 'x-request-id')).toEqual([id.trim()]);
  });

  it.each([
    ['none', ''],
    ['empty', 'X-Request-Id:\r\n'],
    ['too long', `X-Request-Id: ${'0'.repeat(129)}\r\n`],
    ['with a space', 'X-Request-Id: a b\r\n'],
    ['with a quote', 'X-Request-Id: a"b\r\n'],
    ['with obs-text', 'X-Request-Id: a\xe9b\r\n'],
    ['with a comma', 'X-Request-Id: a,b\r\n'],
    ['two of them', 'X-Request-Id: a\r\nX-Request-Id: b\r\n'],
    ['three of them', 'X-Request-Id: a\r\nX-Request-Id: b\r\nx-request-id: c\r\n'],
    ['with underscores', 'X_Request_Id: a\r\n'],
  ])('%s is replaced', async (_name, line) => {
    const { answer, of } = await received(`Host: a\r\n${line}`);
    expect(of('x-request-id')).toEqual([expect.stringMatching(uuid)]);
    expect(of('x_request_id')).toEqual([]);
    expect(valuesOf(answer.fields, 'x-request-id')).toEqual(of('x-request-id'));
  });

  it('of the upstream is not passed on', async () => {
    backend.script = answering(
      'HTTP/1.1 200 OK\r\nX-Request-Id: evil\r\nContent-Length: 0\r\n\r\n',
    );
    const { answer } = await received('Host: a\r\nX-Request-Id: mine\r\n');
    expect(valuesOf(answer.fields, 'x-request-id')).toEqual(['mine']);
  });

  it('is one line of one word, whatever is sent', async () => {
    const client = await connectTo(gateway.port);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 20 }), async (id) => {
        const value = Buffer.from(id)
          .toString('latin1')
          .replace(/[\0-\x08\x0a-\x1f\x7f]/g, '');
        client.write(`GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: ${value}\r\n\r\n`);
        const answer = await client.message();
        const [given, ...more] = valuesOf(answer.fields, 'x-request-id');
        expect(given).toMatch(/^[\x21-\x7e]{1,128}$/);
        expect(more).toEqual([]);
        expect(valuesOf(backend.requests.at(-1)!.fields, 'x-request-id')).toEqual([given]);
      }),
      { numRuns: 50 },
    );
    client.end();
  });
});
