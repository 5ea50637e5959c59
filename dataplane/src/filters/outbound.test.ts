import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  answering,
  type BackendScript,
  type RawBackend,
  refusedPort,
  startBackend,
} from '../testing/backend.ts';
import { createOutbound } from './outbound.ts';

let backend: RawBackend;
const outbound = createOutbound();

beforeAll(async () => {
  backend = await startBackend();
});
beforeEach(() => backend.reset());
afterAll(() => backend.close());

const ask = (port = backend.port, timeout = 5000, cut = false) =>
  outbound.ask({
    origin: `http://127.0.0.1:${port}`,
    path: '/a/%2e%2e/../b?c',
    method: 'POST',
    headers: { 'x-token': 'sesame' },
    body: 'token=sesame',
    timeout,
    mostBytes: 10,
    cut,
  });

const text = (status: string, lines: string, body: string): BackendScript =>
  answering(`HTTP/1.1 ${status}\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`);

it('sends what it is given and gives back the answer', async () => {
  backend.script = text('200 OK', 'Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n', '0123456789');
  const { status, headers, body } = await ask();
  expect([status, headers['set-cookie'], body.toString()]).toEqual([
    200,
    ['a=1', 'b=2'],
    '0123456789',
  ]);
  const [request] = backend.requests;
  expect([request!.startLine, request!.body.toString()]).toEqual([
    'POST /a/%2e%2e/../b?c HTTP/1.1',
    'token=sesame',
  ]);
});

it('does not follow redirects', async () => {
  backend.script = text('302 Found', 'Location: /elsewhere\r\n', '');
  expect((await ask()).status).toBe(302);
  expect(backend.requests).toHaveLength(1);
});

const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

it.each<[string, BackendScript, RegExp]>([
  ['too large, as it says', text('200 OK', '', '01234567890'), /larger than 10 bytes/],
  ['too large', answering(`${chunked}b\r\n01234567890\r\n0\r\n\r\n`), /larger than 10 bytes/],
  ['endless', answering(`${chunked}b\r\n01234567890\r\n`), /larger than 10 bytes/],
  ['not HTTP', answering('hello\r\n\r\n'), /failed: H(PE_|TTPParserError)/],
  [
    'of too many headers',
    text('200 OK', `X: ${'x'.repeat(40_000)}\r\n`, ''),
    /failed: UND_ERR_HEADERS_OVERFLOW/,
  ],
  [
    'cut off',
    { request: (_, { socket }) => socket.destroy() },
    /failed: (UND_ERR_SOCKET|ECONNRESET)/,
  ],
  [
    'cut off within its body',
    {
      request(_, peer) {
        peer.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab');
        peer.socket.end();
      },
    },
    /failed: UND_ERR_SOCKET/,
  ],
])('refuses an answer that is %s', async (_, script, reason) => {
  backend.script = script;
  await expect(ask()).rejects.toThrow(reason);
  await expect(ask()).rejects.not.toThrow(/sesame/);
});

it.each<[string, BackendScript]>([
  ['as it says', text('200 OK', '', '0123456789abc')],
  ['in chunks', answering(`${chunked}d\r\n0123456789abc\r\n`)],
])('cuts an answer that is too large %s where that is wished', async (_, script) => {
  backend.script = script;
  expect((await ask(backend.port, 5000, true)).body.toString()).toBe('0123456789');
});

it('gives up in time when no answer comes, and when it never ends', async () => {
  backend.script = { request: () => undefined };
  await expect(ask(backend.port, 100)).rejects.toThrow('no answer within 100 ms');
  backend.script = answering(`${chunked}1\r\nx\r\n`);
  await expect(ask(backend.port, 100)).rejects.toThrow('no answer within 100 ms');
});

it('tells that nobody listens', async () => {
  await expect(ask(await refusedPort())).rejects.toThrow('the request failed: ECONNREFUSED');
});

it('works again afterwards', async () => {
  backend.script = text('204 No Content', '', '');
  expect((await ask()).status).toBe(204);
});
