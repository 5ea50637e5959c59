import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RawBackend, startBackend } from '../testing/backend.ts';
import { connectTo } from '../testing/client.ts';
import { startGatewayTo, type TestGateway } from '../testing/gateway.ts';
import { statusOf, valuesOf } from '../testing/message.ts';

let backend: RawBackend;
let gateway: TestGateway;

beforeAll(async () => {
  backend = await startBackend();
  gateway = await startGatewayTo(backend);
});
beforeEach(() => backend.reset());
afterAll(async () => {
  await gateway.close();
  await backend.close();
});

const get = 'GET / HTTP/1.1\r\nHost: a\r\n';
const post = 'POST / HTTP/1.1\r\nHost: a\r\n';
const te = 'Transfer-Encoding: chunked\r\n';
const cl = 'Content-Length: 5\r\n';
const smuggled = '0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

type Row = [name: string, sent: string, status: number];

const framing: Row[] = [
  ['TE then CL', `${post}${te}${cl}\r\n${smuggled}`, 400],
  ['CL then TE', `${post}${cl}${te}\r\n${smuggled}`, 400],
  ['CL: 0 with TE', `${post}Content-Length: 0\r\n${te}\r\n${smuggled}`, 400],
  ['CL with an empty TE', `${post}${cl}Transfer-Encoding:\r\n\r\nhello`, 400],
  ['two CL, different', `${post}${cl}Content-Length: 6\r\n\r\nhello`, 400],
  ['two CL, the same', `${post}${cl}${cl}\r\nhello`, 400],
  ['a list in CL', `${post}Content-Length: 5, 5\r\n\r\nhello`, 400],
  ['a list of different CL', `${post}Content-Length: 5,6\r\n\r\nhello`, 400],
  ['CL with +', `${post}Content-Length: +5\r\n\r\nhello`, 400],
  ['CL with -', `${post}Content-Length: -5\r\n\r\nhello`, 400],
  ['an inner space in CL', `${post}Content-Length: 5 5\r\n\r\nhello`, 400],
  ['an inner tab in CL', `${post}Content-Length: 5\t5\r\n\r\nhello`, 400],
  ['hexadecimal CL', `${post}Content-Length: 0x5\r\n\r\nhello`, 400],
  ['exponential CL', `${post}Content-Length: 1e1\r\n\r\nhello`, 400],
  ['fractional CL', `${post}Content-Length: 5.0\r\n\r\nhello`, 400],
  ['an empty CL', `${post}Content-Length:\r\n\r\nhello`, 400],
  ['a blank CL', `${post}Content-Length: \t\r\n\r\nhello`, 400],
  ['CL beyond 2^53', `${post}Content-Length: 9007199254740993\r\n\r\nhello`, 400],
  ['CL of 2^64 + 5', `${post}Content-Length: 18446744073709551621\r\n\r\nhello`, 400],
  ['an empty TE', `${post}Transfer-Encoding:\r\n\r\n${smuggled}`, 400],
  ['an empty TE on GET', `${get}Transfer-Encoding:\r\n\r\n${smuggled}`, 400],
  ['a TE of a comma', `${post}Transfer-Encoding: ,\r\n\r\n${smuggled}`, 400],
  ['TE: identity', `${post}Transfer-Encoding: identity\r\n\r\n${smuggled}`, 400],
  ['TE: identity with CL', `${post}Transfer-Encoding: identity\r\n${cl}\r\nhello`, 400],
  ['TE: xchunked', `${post}Transfer-Encoding: xchunked\r\n\r\n${smuggled}`, 400],
  ['TE: chunkedx', `${post}Transfer-Encoding: chunkedx\r\n\r\n${smuggled}`, 400],
  ['TE: "chunked"', `${post}Transfer-Encoding: "chunked"\r\n\r\n${smuggled}`, 400],
  ['TE: chunked;q=1', `${post}Transfer-Encoding: chunked;q=1\r\n\r\n${smuggled}`, 400],
  ['TE: chunked, chunked', `${post}Transfer-Encoding: chunked, chunked\r\n\r\n${smuggled}`, 400],
  ['TE: gzip, chunked', `${post}Transfer-Encoding: gzip, chunked\r\n\r\n${smuggled}`, 501],
  ['TE: chunked, gzip', `${post}Transfer-Encoding: chunked, gzip\r\n\r\n${smuggled}`, 400],
  ['TE: chunked, identity', `${post}Transfer-Encoding: chunked, identity\r\n\r\n${smuggled}`, 400],
  ['TE: gzip', `${post}Transfer-Encoding: gzip\r\n\r\n${smuggled}`, 400],
  ['two TE lines', `${post}${te}${te}\r\n${smuggled}`, 400],
  ['two TE lines, gzip and chunked', `${post}Transfer-Encoding: gzip\r\n${te}\r\n${smuggled}`, 400],
  ['two TE lines, chunked and gzip', `${post}${te}Transfer-Encoding: gzip\r\n\r\n${smuggled}`, 400],
  ['two TE lines, empty and chunked', `${post}Transfer-Encoding:\r\n${te}\r\n${smuggled}`, 400],
  ['two TE lines, chunked and empty', `${post}${te}Transfer-Encoding:\r\n\r\n${smuggled}`, 400],
  ['TE in HTTP/1.0', `POST / HTTP/1.0\r\nHost: a\r\n${te}\r\n${smuggled}`, 400],
  ['TE with a vertical tab', `${post}Transfer-Encoding: \x0bchunked\r\n\r\n${smuggled}`, 400],
  ['TE behind an obs-fold', `${post}Transfer-Encoding:\r\n chunked\r\n\r\n${smuggled}`, 400],
  [
    'TE with a space before the colon',
    `${post}Transfer-Encoding : chunked\r\n\r\n${smuggled}`,
    400,
  ],
];

const chunks: Row[] = (
  [
    ['a size that overflows', 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n'],
    ['a size of 2^64', '10000000000000000\r\nhello\r\n0\r\n\r\n'],
    ['a negative size', '-5\r\nhello\r\n0\r\n\r\n'],
    ['a size with +', '+5\r\nhello\r\n0\r\n\r\n'],
    ['a size with 0x', '0x5\r\nhello\r\n0\r\n\r\n'],
    ['a size with a space in front', ' 5\r\nhello\r\n0\r\n\r\n'],
    ['a size with a space behind', '5 \r\nhello\r\n0\r\n\r\n'],
    ['an empty size', '\r\nhello\r\n0\r\n\r\n'],
    ['a size that is no number', 'g\r\nhello\r\n0\r\n\r\n'],
    ['a size ended by LF', '5\nhello\r\n0\r\n\r\n'],
    ['a size ended by CR', '5\rhello\r\n0\r\n\r\n'],
    ['data without CRLF', '5\r\nhello0\r\n\r\n'],
    ['data ended by LF', '5\r\nhello\n0\r\n\r\n'],
    ['data that is longer than the size', '5\r\nhello!\r\n0\r\n\r\n'],
    ['a last chunk ended by LF', '5\r\nhello\r\n0\n\r\n'],
    ['a trailer section ended by LF', '5\r\nhello\r\n0\r\n\n'],
    ['a trailer ended by LF', '5\r\nhello\r\n0\r\nA: b\n\r\n'],
    ['a trailer with a space before the colon', '5\r\nhello\r\n0\r\nA : b\r\n\r\n'],
    ['a trailer with obs-fold', '5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n'],
    ['Content-Length as a trailer', '5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n'],
    ['Transfer-Encoding as a trailer', '5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['an extension with LF', '5;a\nb\r\nhello\r\n0\r\n\r\n'],
    ['an extension with CR', '5;a\rb\r\nhello\r\n0\r\n\r\n'],
    ['a quoted extension with LF', '5;a="\n"\r\nhello\r\n0\r\n\r\n'],
    ['a quoted extension with CRLF', '5;a="\r\n"\r\nhello\r\n0\r\n\r\n'],
    ['an extension with NUL', '5;a=\x00\r\nhello\r\n0\r\n\r\n'],
    ['an endless extension', `5;${'a'.repeat(200_000)}\r\nhello\r\n0\r\n\r\n`],
    ['endless trailers', `5\r\nhello\r\n0\r\n${'A: b\r\n'.repeat(8000)}\r\n`],
  ] satisfies [string, string][]
).map(([name, body]) => [name, `${post}${te}\r\n${body}`, 400]);

const syntax: Row[] = [
  ['obs-fold', `${get}A: b\r\n c\r\n\r\n`, 400],
  ['obs-fold with a tab', `${get}A: b\r\n\tc\r\n\r\n`, 400],
  ['obs-fold of the first field', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n', 400],
  ['obs-fold to an empty value', `${get}A:\r\n b\r\n\r\n`, 400],
  ['white space only in a line', `${get}A: b\r\n \r\n\r\n`, 400],
  ['bare LF behind the request line', 'GET / HTTP/1.1\nHost: a\r\n\r\n', 400],
  ['bare LF behind a field', 'GET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n', 400],
  ['bare LF at the end', 'GET / HTTP/1.1\r\nHost: a\r\n\n', 400],
  ['bare LF throughout', 'GET / HTTP/1.1\nHost: a\n\n', 400],
  ['LF at the end of a value', `${get}A: b\n\r\n\r\n`, 400],
  ['bare CR in a value', `${get}A: b\rc\r\n\r\n`, 400],
  ['bare CR in a name', `${get}A\rb: c\r\n\r\n`, 400],
  ['bare CR behind the request line', 'GET / HTTP/1.1\rHost: a\r\n\r\n', 400],
  ['bare CR in the target', 'GET /\ra HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['CR CR LF', `${get}A: b\r\r\n\r\n`, 400],
  ['CR instead of the empty line', `${get}\rA: b\r\n\r\n`, 400],
  ['NUL in a value', `${get}A: b\0c\r\n\r\n`, 400],
  ['NUL in a name', `${get}A\0: b\r\n\r\n`, 400],
  ['NUL in the target', 'GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a control in a value', `${get}A: b\x01c\r\n\r\n`, 400],
  ['DEL in a value', `${get}A: b\x7fc\r\n\r\n`, 400],
  ['ESC in a name', `${get}A\x1b: b\r\n\r\n`, 400],
  ['a space before the colon', `${get}A : b\r\n\r\n`, 400],
  ['a tab before the colon', `${get}A\t: b\r\n\r\n`, 400],
  ['a space in a name', `${get}A b: c\r\n\r\n`, 400],
  ['a line without colon', `${get}Abc\r\n\r\n`, 400],
  ['an empty name', `${get}: b\r\n\r\n`, 400],
  ['a name with (', `${get}A(: b\r\n\r\n`, 400],
  ['a name with obs-text', `${get}\xe9: b\r\n\r\n`, 400],
];

const requestLines: Row[] = [
  ['HTTP/2.0', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505],
  ['almost the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n', 400],
  ['HTTP/1.2', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n', 400],
  ['HTTP/0.9', 'GET / HTTP/0.9\r\nHost: a\r\n\r\n', 400],
  ['HTTP/3.0', 'GET / HTTP/3.0\r\nHost: a\r\n\r\n', 400],
  ['HTTP/1.10', 'GET / HTTP/1.10\r\nHost: a\r\n\r\n', 400],
  ['HTTP/01.1', 'GET / HTTP/01.1\r\nHost: a\r\n\r\n', 400],
  ['HTTP/1', 'GET / HTTP/1\r\nHost: a\r\n\r\n', 400],
  ['HTTP/1,1', 'GET / HTTP/1,1\r\nHost: a\r\n\r\n', 400],
  ['http/1.1', 'GET / http/1.1\r\nHost: a\r\n\r\n', 400],
  ['RTSP/1.0', 'GET / RTSP/1.0\r\nHost: a\r\n\r\n', 400],
  ['RTSP/1.1', 'OPTIONS / RTSP/1.1\r\nHost: a\r\n\r\n', 400],
  ['ICE/1.0', 'SOURCE / ICE/1.0\r\nHost: a\r\n\r\n', 400],
  ['no version', 'GET /\r\nHost: a\r\n\r\n', 400],
  ['no target', 'GET HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['two spaces before the target', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['two spaces behind the target', 'GET /  HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a tab before the target', 'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a tab behind the target', 'GET /\tHTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a space behind the version', 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n', 400],
  ['a space in front', ' GET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a method in lower case', 'get / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a method that is no token', 'G@T / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 405],
  ['CONNECT with a path', 'CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n', 405],
  ['an authority-form', 'GET a:443 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['an asterisk-form with GET', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a relative target', 'GET x HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a fragment', 'GET /#x HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a fragment behind a query', 'GET /?a#x HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['obs-text in the path', 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['obs-text in the query', 'GET /?\xe9 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['DEL in the query', 'GET /?\x7f HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['an absolute-form of another scheme', 'GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['an absolute-form without host', 'GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['an absolute-form with userinfo', 'GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a path out of the root', 'GET /../x HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a broken escape', 'GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n', 400],
];

const hosts: Row[] = [
  ['no Host', 'GET / HTTP/1.1\r\nA: b\r\n\r\n', 400],
  ['no fields', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['no Host with an absolute-form', 'GET http://a/ HTTP/1.1\r\n\r\n', 400],
  ['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
  ['the same Host twice', 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 400],
  ['two Hosts in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n', 400],
  ['two Hosts with an absolute-form', 'GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
  ...[
    'a, b',
    'a,b',
    'a b',
    'user@a',
    'user:pw@a',
    'a/b',
    'a?b',
    'a#b',
    'a:',
    'a:x',
    'a:-1',
    'a:80:80',
    'a:999999',
    ':80:80',
    '-a',
    'a..b\\c',
    'a\\b',
    '[::1',
    '::1',
    '[::1]x',
    '[g::1]',
    '[]',
    '"a"',
    '<a>',
    'a\xe9',
    'a%00',
    'a%2eb',
    "a'b",
    'a;b',
    `${'a'.repeat(300)}`,
  ].map(
    (host): Row => [`Host: ${host.slice(0, 20)}`, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 400],
  ),
];

const expectations: Row[] = [
  ['an unknown expectation', `${get}Expect: 200-ok\r\n\r\n`, 417],
  ['an expectation beside 100-continue', `${get}Expect: 100-continue, x\r\n\r\n`, 417],
];

describe.each([
  ['framing (RFC 9112 section 6)', framing],
  ['chunks (RFC 9112 section 7.1)', chunks],
  ['field syntax (RFC 9112 section 5)', syntax],
  ['request line (RFC 9112 section 3)', requestLines],
  ['Host (RFC 9112 section 3.2)', hosts],
  ['Expect (RFC 9110 section 10.1.1)', expectations],
])('refused for its %s', (_group, rows) => {
  it.each(rows)('%s', async (_name, sent, status) => {
    const client = await connectTo(gateway.port);
    client.write(sent);
    const answer = await client.message();
    expect(statusOf(answer)).toBe(status);
    expect(valuesOf(answer.fields, 'connection')).toEqual(['close']);
    expect(valuesOf(answer.fields, 'content-type')).toEqual(['application/json']);
    expect(valuesOf(answer.fields, 'x-request-id')).toHaveLength(1);
    expect(JSON.parse(answer.body.toString())).toEqual({ error: expect.any(String) });
    expect(await client.close()).toBe('end');
    expect(client.bytes).toHaveLength(0);
    client.end();
    // At most an upstream saw the beginning of a body that turned out to be broken.
    expect(backend.requests).toEqual([]);
  });

  it.each(rows)('%s, byte by byte', async (_name, sent, status) => {
    if (sent.length > 1000) return;
    const client = await connectTo(gateway.port);
    await client.writePieces([...sent]);
    expect(statusOf(await client.message())).toBe(status);
    expect(await client.close()).toBe('end');
    client.end();
    expect(backend.requests).toEqual([]);
  });
});
