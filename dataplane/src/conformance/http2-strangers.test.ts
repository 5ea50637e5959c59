import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RawBackend, startBackend } from '../testing/backend.ts';
import { connectFrames } from '../testing/frame-client.ts';
import { startGatewayTo, type TestGateway } from '../testing/gateway.ts';
import { type Fields, fieldsOf, requestFrames } from '../testing/http2-frames.ts';
import { withoutOwnLines } from '../testing/message.ts';

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

async function ask(fields: Fields, body?: string): Promise<string> {
  const client = await connectFrames(gateway.port);
  client.send(requestFrames(1, fields, body));
  const outcome = await client.outcome(1);
  client.close();
  return outcome;
}

/** What the backend got, without the lines of the gateway. */
const received = () => backend.requests.map(({ raw }) => withoutOwnLines(raw));

const malformed = 'reset 1';
const smuggled = '/x HTTP/1.1\r\nHost: b\r\n\r\nGET /';

describe('a request that is refused', () => {
  it.each<[string, string, Fields, body?: string]>([
    ...['', 'a', ' /', '/a b', '/\r\nx: y', '/\0', '/\t', 'http://b/', '?a', '*', smuggled].map(
      (path): [string, string, Fields] => [
        `:path ${JSON.stringify(path)}`,
        malformed,
        fieldsOf({ ':path': path }),
      ],
    ),
    ...['/%00', '/\\', '/#a', '/\xe9', '/..'].map((path): [string, string, Fields] => [
      `:path ${JSON.stringify(path)}`,
      '400',
      fieldsOf({ ':path': path }),
    ]),
    ['no :path', malformed, fieldsOf({ ':path': undefined })],
    ['two :path', malformed, fieldsOf({}, [':path', '/b'])],
    ['no :method', malformed, fieldsOf({ ':method': undefined })],
    ...[
      '',
      'G T',
      'G(',
      'GET\r\n',
      `GET ${smuggled} HTTP/1.1\r\nHost: b\r\n\r\nGET`,
      'CONNECT',
    ].map((method): [string, string, Fields] => [
      `:method ${JSON.stringify(method)}`,
      malformed,
      fieldsOf({ ':method': method }),
    ]),
    [
      'CONNECT',
      '405',
      [
        [':method', 'CONNECT'],
        [':authority', 'a:1'],
      ],
    ],
    [
      'CONNECT of a protocol',
      malformed,
      fieldsOf({ ':method': 'CONNECT' }, [':protocol', 'websocket']),
    ],
    ['two :authority', malformed, fieldsOf({}, [':authority', 'b'])],
    ['neither :authority nor Host', malformed, fieldsOf({ ':authority': undefined })],
    ...['', 'b@a', 'a b', 'a\r\n', 'a/b', 'a\0'].map((authority): [string, string, Fields] => [
      `:authority ${JSON.stringify(authority)}`,
      malformed,
      fieldsOf({ ':authority': authority }),
    ]),
    ...['a,b', 'a:x'].map((authority): [string, string, Fields] => [
      `:authority ${JSON.stringify(authority)}`,
      '400',
      fieldsOf({ ':authority': authority }),
    ]),
    ['Host unlike :authority', '400', fieldsOf({}, ['host', 'b'])],
    ['two Hosts', malformed, fieldsOf({ ':authority': undefined }, ['host', 'a'], ['host', 'b'])],
    ['no :scheme', malformed, fieldsOf({ ':scheme': undefined })],
    ...['', 'h t', 'http\r\n'].map((scheme): [string, string, Fields] => [
      `:scheme ${JSON.stringify(scheme)}`,
      malformed,
      fieldsOf({ ':scheme': scheme }),
    ]),
    ...['ftp', 'file', 'HTTP'].map((scheme): [string, string, Fields] => [
      `:scheme ${scheme}`,
      '400',
      fieldsOf({ ':scheme': scheme }),
    ]),
    ['an unknown pseudo-header field', malformed, fieldsOf({}, [':x', 'a'])],
    ['a pseudo-header field of responses', malformed, fieldsOf({}, [':status', '200'])],
    [
      'a pseudo-header field after others',
      malformed,
      [...fieldsOf({ ':path': undefined }), ['a', 'b'], [':path', '/']],
    ],
    ['a name in upper case', malformed, fieldsOf({}, ['Upper', 'a'])],
    ...Object.entries({
      connection: 'close',
      'keep-alive': '1',
      'proxy-connection': 'close',
      'transfer-encoding': 'chunked',
      upgrade: 'h2c',
      te: 'trailers, gzip',
    }).map(([name, value]): [string, string, Fields] => [
      `${name}: ${value}`,
      malformed,
      fieldsOf({}, [name, value]),
    ]),
    ...['5', 'x', '-1', '+0', '99999999999999999999'].map((length): [string, string, Fields] => [
      `content-length ${length} without a body`,
      malformed,
      fieldsOf({}, ['content-length', length]),
    ]),
    [
      'two Content-Length',
      malformed,
      fieldsOf({}, ['content-length', '0'], ['content-length', '0']),
    ],
    ['expect: something', '417', fieldsOf({}, ['expect', 'something'])],
  ])('%s: %s', async (_name, outcome, fields) => {
    expect(await ask(fields)).toBe(outcome);
    expect(backend.requests).toHaveLength(0);
  });

  it.each([['4'], ['6']])('content-length %s with a body of 5', async (length) => {
    const fields = fieldsOf({ ':method': 'POST' }, ['content-length', length]);
    // nghttp2 takes a body that is too long for an error of the connection.
    expect(await ask(fields, 'hello')).toMatch(/^(?:reset|goaway)/);
    expect(backend.requests).toHaveLength(0);
  });
});

const hostLine = 'host: a\r\n';

describe('a request that passes', () => {
  const post = (...fields: Fields) => fieldsOf({ ':method': 'POST' }, ...fields);
  it.each<[string, Fields, string, body?: string]>([
    [
      'Host instead of :authority',
      fieldsOf({ ':authority': undefined }, ['host', 'a']),
      `GET / HTTP/1.1\r\n${hostLine}\r\n`,
    ],
    ['Host like :authority', fieldsOf({}, ['host', 'a']), `GET / HTTP/1.1\r\n${hostLine}\r\n`],
    ['te: trailers', fieldsOf({}, ['te', 'trailers']), `GET / HTTP/1.1\r\n${hostLine}\r\n`],
    ['an unknown method', fieldsOf({ ':method': 'PRI' }), `PRI / HTTP/1.1\r\n${hostLine}\r\n`],
    ['two slashes', fieldsOf({ ':path': '//b/' }), `GET /b/ HTTP/1.1\r\n${hostLine}\r\n`],
    [
      'crumbs of cookies',
      fieldsOf({}, ['cookie', 'a=1'], ['x', 'y'], ['cookie', 'b=2']),
      `GET / HTTP/1.1\r\n${hostLine}x: y\r\ncookie: a=1; b=2\r\n\r\n`,
    ],
    // nghttp2 leaves out what cannot be a field; it must not become two of them.
    [
      'a value with CRLF',
      fieldsOf({}, ['a', 'b\r\nc: d'], ['e', 'f']),
      `GET / HTTP/1.1\r\n${hostLine}e: f\r\n\r\n`,
    ],
    ['a name with a space', fieldsOf({}, ['a b', 'c']), `GET / HTTP/1.1\r\n${hostLine}\r\n`],
    [
      'a name that some take for another',
      fieldsOf({}, ['content_length', '9']),
      `GET / HTTP/1.1\r\n${hostLine}\r\n`,
    ],
    [
      'a body and its length',
      post(['content-length', '5']),
      `POST / HTTP/1.1\r\n${hostLine}content-length: 5\r\n\r\nhello`,
      'hello',
    ],
    [
      'a body without length',
      post(),
      `POST / HTTP/1.1\r\n${hostLine}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
      'hello',
    ],
  ])('%s', async (_name, fields, wanted, body) => {
    expect(await ask(fields, body)).toBe('200');
    expect(
      received().map((raw) =>
        raw.replace(/^(?:Host|Transfer-Encoding):/gim, (name) => name.toLowerCase()),
      ),
    ).toEqual([wanted]);
  });
});
