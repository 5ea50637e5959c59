import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RawBackend, startBackend } from '../testing/backend.ts';
import { connectTo } from '../testing/client.ts';
import { startGatewayTo, type TestGateway } from '../testing/gateway.ts';
import { statusOf, withoutOwnLines } from '../testing/message.ts';

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

const chunkedPost = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n';
/** What the upstream gets of `chunkedPost`: framing is the gateway's own. */
const chunkedOut = 'POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\n';

/** Bytes of the client, and exactly what the upstream receives but for the gateway's own lines. */
const forwarded: [name: string, sent: string, received: string][] = [
  ['a plain GET', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  [
    'spelling, order and repetition of fields',
    'GET / HTTP/1.1\r\nHOST: a\r\nb: 1\r\nA:2\r\nB:  3\r\naccept: */*\r\n\r\n',
    'GET / HTTP/1.1\r\nHOST: a\r\nb: 1\r\nA:2\r\nB:  3\r\naccept: */*\r\n\r\n',
  ],
  [
    'values with obs-text and tabs, byte for byte (RFC 9110 section 5.5)',
    'GET / HTTP/1.1\r\nHost: a\r\nX: \xe9\x80\xff a\tb "\\\r\nY: z\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nX: \xe9\x80\xff a\tb "\\\r\nY: z\r\n\r\n',
  ],
  [
    'an empty value in the last field',
    'GET / HTTP/1.1\r\nHost: a\r\nX-Empty:\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nX-Empty:\r\n\r\n',
  ],
  [
    'an empty value with space in the last field',
    'GET / HTTP/1.1\r\nHost: a\r\nX-Empty: \r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nX-Empty: \r\n\r\n',
  ],
  [
    'empty values between fields',
    'GET / HTTP/1.1\r\nX-Empty:\r\nHost: a\r\nY:\r\nZ: 1\r\n\r\n',
    'GET / HTTP/1.1\r\nX-Empty:\r\nHost: a\r\nY:\r\nZ: 1\r\n\r\n',
  ],
  [
    'an empty value before a dropped last field',
    'GET / HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nTE: trailers\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nX-Empty:\r\n\r\n',
  ],
  [
    'an empty dropped last field',
    'GET / HTTP/1.1\r\nHost: a\r\nTE:\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
  [
    'white space behind a value (RFC 9112 section 5)',
    'POST / HTTP/1.1\r\nHost: a \t\r\nContent-Length: 2 \r\n\r\nhi',
    'POST / HTTP/1.1\r\nHost: a \t\r\nContent-Length: 2 \r\n\r\nhi',
  ],
  [
    'white space behind a transfer coding',
    `${chunkedPost.slice(0, -2)} \r\n\r\n0\r\n\r\n`,
    `${chunkedOut}\r\n0\r\n\r\n`,
  ],
  [
    'empty lines before the request line (RFC 9112 section 2.2)',
    '\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
  // RFC 9110 section 7.6.1: fields of one connection.
  [
    'no hop-by-hop fields',
    'GET / HTTP/1.1\r\nConnection: keep-alive, TE\r\nHost: a\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\n' +
      'Trailer: X\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic x\r\n' +
      'Proxy-Authenticate: Basic\r\nProxy-Anything: 1\r\nA: 1\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\n\r\n',
  ],
  [
    'fields that Connection nominates',
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Secret ,,\tx-other\r\nx-sECRET: 1\r\nX-Other: 2\r\nX-Kept: 3\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nX-Kept: 3\r\n\r\n',
  ],
  [
    'fields nominated in a second Connection line, behind the field',
    'GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-B: 2\r\nConnection: x-a\r\nConnection: x-b\r\nC: 3\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nC: 3\r\n\r\n',
  ],
  [
    'a nominated Host and Content-Length stay',
    'POST / HTTP/1.1\r\nHost: a\r\nConnection: host, content-length, x-forwarded-for, x-request-id\r\nContent-Length: 2\r\n\r\nhi',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi',
  ],
  [
    'a nominated Transfer-Encoding stays',
    `${chunkedPost}Connection: transfer-encoding\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    `${chunkedOut}\r\n2\r\nhi\r\n0\r\n\r\n`,
  ],
  [
    'an upgrade that the gateway does not do (RFC 9110 section 7.8)',
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
  [
    'an upgrade with a body',
    'POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc',
  ],
  [
    'an upgrade with a chunked body',
    `${chunkedPost}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    `${chunkedOut}\r\n3\r\nabc\r\n0\r\n\r\n`,
  ],
  // Spellings that CGI-like backends fold to fields which mean something.
  [
    'no spelling with "_" of a field the gateway sets or frames by',
    'GET / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\nContent_Length: 5\r\nX_Forwarded_For: 6.6.6.6\r\n' +
      'X-Forwarded_Proto: https\r\nX_Request_Id: q\r\nProxy_Authorization: x\r\nX_Other: 1\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nX_Other: 1\r\n\r\n',
  ],
  // Bodies.
  [
    'a body on GET',
    'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody',
    'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody',
  ],
  [
    'a body on DELETE',
    'DELETE /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody',
    'DELETE /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody',
  ],
  [
    'a chunked body on GET',
    'GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n',
  ],
  [
    'Content-Length: 0',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
  ],
  [
    'leading zeros in Content-Length (RFC 9110 section 8.6: 1*DIGIT)',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0002\r\n\r\nhi',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0002\r\n\r\nhi',
  ],
  [
    'chunks, without extensions and leading zeros (RFC 9112 section 7.1.1)',
    `${chunkedPost}\r\n0002;a=1;b="q;x"\r\nhi\r\n01\r\n!\r\n000\r\n\r\n`,
    `${chunkedOut}\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n`,
  ],
  [
    'binary chunks',
    `${chunkedPost}\r\nA\r\n\r\n\x00\xff0\r\n\r\n\r\r\n0\r\n\r\n`,
    `${chunkedOut}\r\na\r\n\r\n\x00\xff0\r\n\r\n\r\r\n0\r\n\r\n`,
  ],
  [
    'allowed trailers (RFC 9110 section 6.5.1)',
    `${chunkedPost}\r\n2\r\nhi\r\n0\r\nX-Checksum: abc\r\nY:\r\nHost: evil\r\n` +
      'Authorization: x\r\nX-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6\r\nZ: 1\r\n\r\n',
    `${chunkedOut}\r\n2\r\nhi\r\n0\r\nX-Checksum: abc\r\nY: \r\nZ: 1\r\n\r\n`,
  ],
  [
    'any case of chunked',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n',
    `${chunkedOut}\r\n0\r\n\r\n`,
  ],
  // Targets (RFC 9112 section 3.2).
  [
    'an absolute-form: its host replaces Host',
    'GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\nC: 1\r\n\r\n',
    'GET /x?y HTTP/1.1\r\nhost: b:81\r\nC: 1\r\n\r\n',
  ],
  [
    'an absolute-form without path',
    'GET http://b?y HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /?y HTTP/1.1\r\nhost: b\r\n\r\n',
  ],
  [
    'an absolute-form of https, any case',
    'GET HTTPS://B/x HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /x HTTP/1.1\r\nhost: B\r\n\r\n',
  ],
  [
    'OPTIONS with an absolute-form without path',
    'OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n',
    'OPTIONS / HTTP/1.1\r\nhost: b\r\n\r\n',
  ],
  [
    'a normalised path and a raw query',
    'GET /a/./b/../%7ec?q=%7e/../ HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /a/~c?q=%7e/../ HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
  [
    'an IPv6 Host with port',
    'GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n',
  ],
  [
    'an empty Host (RFC 9112 section 3.2)',
    'GET / HTTP/1.1\r\nHost:\r\nA: 1\r\n\r\n',
    'GET / HTTP/1.1\r\nhost: \r\nA: 1\r\n\r\n',
  ],
  [
    'HTTP/1.0 as 1.1, keep-alive is ours',
    'GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
  [
    'HTTP/1.0 without Host',
    'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
    'GET / HTTP/1.1\r\nhost: \r\n\r\n',
  ],
];

describe('a request that is forwarded', () => {
  it.each(forwarded)('%s', async (_name, sent, received) => {
    const client = await connectTo(gateway.port);
    client.write(sent);
    expect(statusOf(await client.message())).toBe(200);
    expect(backend.requests).toHaveLength(1);
    expect(withoutOwnLines(backend.requests[0]!.raw)).toBe(received);
    // The connection is in step: the next request is understood.
    client.write('GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(statusOf(await client.message())).toBe(200);
    expect(backend.requests[1]?.startLine).toBe('GET /next HTTP/1.1');
    expect(await client.close()).toBe('end');
    expect(backend.connections).toHaveLength(1);
    expect(backend.connections[0]!.bytes).toHaveLength(0);
  });

  it('may be HTTP/1.0 without a single field', async () => {
    const client = await connectTo(gateway.port);
    client.write('GET /old HTTP/1.0\r\n\r\n');
    expect(statusOf(await client.message())).toBe(200);
    expect(withoutOwnLines(backend.requests[0]!.raw)).toBe('GET /old HTTP/1.1\r\nhost: \r\n\r\n');
    expect(await client.close()).toBe('end');
  });

  it('comes with the lines of the gateway, in one order, at the end of the head', async () => {
    const client = await connectTo(gateway.port);
    client.write(`${chunkedPost}X-Request-Id: r1\r\nA: 1\r\n\r\n0\r\n\r\n`);
    await client.message();
    expect(backend.requests[0]!.raw).toBe(
      'POST / HTTP/1.1\r\nHost: a\r\nA: 1\r\nx-forwarded-for: 127.0.0.1\r\nx-forwarded-proto: http\r\n' +
        `x-forwarded-host: a\r\nx-forwarded-port: ${gateway.port}\r\n` +
        'forwarded: for=127.0.0.1;host="a";proto=http\r\nvia: 1.1 gatehouse\r\nx-request-id: r1\r\n' +
        'transfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    client.end();
  });

  it.each(forwarded)('%s, whatever the segments', async (_name, sent, received) => {
    const client = await connectTo(gateway.port);
    await client.writePieces([...sent]);
    await client.message();
    expect(withoutOwnLines(backend.requests[0]!.raw)).toBe(joinChunks(received));
    client.end();
  });
});

/** A chunk that arrives byte by byte leaves byte by byte. */
function joinChunks(text: string): string {
  const split = text.indexOf('\r\n\r\n') + 4;
  if (!text.slice(0, split).includes('transfer-encoding: chunked')) return text;
  let out = text.slice(0, split);
  let rest = text.slice(split);
  for (;;) {
    const line = rest.indexOf('\r\n');
    const size = Number.parseInt(rest.slice(0, line), 16);
    rest = rest.slice(line + 2);
    if (size === 0) return `${out}0\r\n${rest}`;
    for (const byte of rest.slice(0, size)) out += `1\r\n${byte}\r\n`;
    rest = rest.slice(size + 2);
  }
}
