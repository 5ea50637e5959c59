import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answering, type RawBackend, startBackend } from '../testing/backend.ts';
import { connectTo } from '../testing/client.ts';
import { startGatewayTo, type TestGateway } from '../testing/gateway.ts';
import { statusOf, valuesOf } from '../testing/message.ts';
import type { Peer } from '../testing/peer.ts';

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

const fine = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine';

/** The line that the gateway adds to every response. */
/** The lines that the gateway writes: the Date of an upstream that gave none, and the id. */
const requestIdLine = /^(?:date: [^\r\n]+ GMT\r\n)?x-request-id: [0-9a-f-]{36}\r\n/m;

type Case = {
  name: string;
  /** The request; GET / of HTTP/1.1 when left out. */
  ask?: string;
  /** What the upstream writes, in segments. */
  answer: string | string[];
  /** What it writes once the client has received everything before it. */
  later?: string;
  /** How it closes then. */
  closing?: 'end' | 'reset';
  /** Exactly what the client receives, but for x-request-id. */
  received: string;
  /** The client's connection afterwards; open when left out. */
  client?: 'end' | 'ECONNRESET';
  /** Whether the upstream's connection serves the next request; it does when left out. */
  kept?: boolean;
};

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const head = 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n';
const get10 = 'GET / HTTP/1.0\r\nHost: a\r\n\r\n';
const alive10 = 'GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n';
const ok = 'HTTP/1.1 200 OK\r\n';

const passed: Case[] = [
  {
    name: 'a body with length',
    answer: `${ok}Server: x\r\nContent-Length: 2\r\nA: b\r\n\r\nhi`,
    received: `${ok}Server: x\r\nContent-Length: 2\r\nA: b\r\n\r\nhi`,
  },
  {
    name: 'a body in segments',
    answer: ['HTTP/1.', `1 200 OK\r\nConte`, 'nt-Length: 5\r', '\n\r\n', 'h', 'ell', 'o'],
    received: `${ok}Content-Length: 5\r\n\r\nhello`,
  },
  {
    name: 'an empty body',
    answer: `${ok}Content-Length: 0\r\n\r\n`,
    received: `${ok}Content-Length: 0\r\n\r\n`,
  },
  {
    name: 'an empty value at the end',
    answer: `${ok}Content-Length: 2\r\nA:\r\n\r\nhi`,
    received: `${ok}Content-Length: 2\r\nA:\r\n\r\nhi`,
  },
  {
    name: 'an empty reason phrase',
    answer: 'HTTP/1.1 299 \r\nContent-Length: 2\r\n\r\nhi',
    received: 'HTTP/1.1 299 \r\nContent-Length: 2\r\n\r\nhi',
  },
  {
    name: 'no reason phrase at all',
    answer: 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi',
    received: 'HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi',
  },
  {
    name: 'neither reason phrase nor field',
    answer: 'HTTP/1.1 204\r\n\r\n',
    received: 'HTTP/1.1 204 \r\n\r\n',
  },
  {
    name: 'a reason phrase and no field',
    answer: 'HTTP/1.1 204 No Content\r\n\r\n',
    received: 'HTTP/1.1 204 No Content\r\n\r\n',
  },
  {
    name: 'neither reason phrase nor field, in segments',
    answer: ['HTTP/1.1 20', '4\r', '\n\r\n'],
    received: 'HTTP/1.1 204 \r\n\r\n',
  },
  {
    name: 'obs-text, byte for byte',
    answer: 'HTTP/1.1 200 \xfc\xff\r\nContent-Length: 2\r\nA: \xe9\x80 "\t\r\n\r\n\x00\xff',
    received: 'HTTP/1.1 200 \xfc\xff\r\nContent-Length: 2\r\nA: \xe9\x80 "\t\r\n\r\n\x00\xff',
  },
  {
    name: 'repeated fields in order',
    answer: `${ok}Set-Cookie: a\r\nContent-Length: 0\r\nset-cookie: b\r\n\r\n`,
    received: `${ok}Set-Cookie: a\r\nContent-Length: 0\r\nset-cookie: b\r\n\r\n`,
  },
  {
    name: 'a chunked body, framed anew',
    answer: `${ok}Transfer-Encoding: chunked\r\nA: b\r\n\r\n0002;x="y"\r\nhi\r\n1\r\n!\r\n00\r\n\r\n`,
    received: `${ok}A: b\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n`,
  },
  {
    name: 'allowed trailers',
    answer: `${ok}Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a\r\nX-Request-Id: q\r\nServer-Timing: a;dur=1\r\n\r\n`,
    received: `${ok}transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\nServer-Timing: a;dur=1\r\n\r\n`,
  },
  {
    name: 'Connection: close among the trailers',
    answer: `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\nConnection: close\r\n\r\n`,
    received: `${ok}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    kept: false,
  },
  {
    name: 'no hop-by-hop fields',
    answer: `${ok}Connection: keep-alive, X-Hop\r\nKeep-Alive: timeout=60\r\nX-Hop: 1\r\nUpgrade: h2\r\nTrailer: A\r\nTE: x\r\nProxy-Authenticate: Basic\r\nProxy-Connection: keep-alive\r\nHTTP2-Settings: x\r\nContent-Length: 0\r\nB: c\r\n\r\n`,
    received: `${ok}Content-Length: 0\r\nB: c\r\n\r\n`,
  },
  {
    name: 'a nominated Content-Length',
    answer: `${ok}Connection: content-length\r\nContent-Length: 2\r\n\r\nhi`,
    received: `${ok}Content-Length: 2\r\n\r\nhi`,
  },
  {
    name: 'no x-request-id of the upstream',
    answer: `${ok}X-Request-Id: evil\r\nx-request-id: evil\r\nX_Request_Id: evil\r\nContent-Length: 0\r\n\r\n`,
    received: `${ok}Content-Length: 0\r\n\r\n`,
  },
  {
    name: 'Connection: close, which is between the two',
    answer: `${ok}Connection: close\r\nContent-Length: 2\r\n\r\nhi`,
    received: `${ok}Content-Length: 2\r\n\r\nhi`,
    kept: false,
  },
  {
    name: 'HTTP/1.0 of the upstream',
    answer: 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi',
    received: `${ok}Content-Length: 2\r\n\r\nhi`,
    kept: false,
  },
  {
    name: 'HTTP/1.0 of the upstream with keep-alive',
    answer: 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi',
    received: `${ok}Content-Length: 2\r\n\r\nhi`,
  },
  {
    name: 'a close-delimited body as chunks (RFC 9112 section 6.3, rule 8)',
    answer: `${ok}A: b\r\n\r\nhello`,
    closing: 'end',
    received: `${ok}A: b\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    kept: false,
  },
  {
    name: 'an empty close-delimited body',
    answer: `${ok}\r\n`,
    closing: 'end',
    received: `${ok}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    kept: false,
  },
  // RFC 9110 sections 9.3.2, 15.3.5 and 15.4.5: no body whatever the head says.
  {
    name: 'HEAD with length',
    ask: head,
    answer: `${ok}Content-Length: 500\r\n\r\n`,
    received: `${ok}Content-Length: 500\r\n\r\n`,
  },
  {
    name: 'HEAD with chunked',
    ask: head,
    answer: `${ok}Transfer-Encoding: chunked\r\nA: b\r\n\r\n`,
    received: `${ok}A: b\r\n\r\n`,
  },
  {
    name: 'HEAD without length',
    ask: head,
    answer: `${ok}A: b\r\n\r\n`,
    received: `${ok}A: b\r\n\r\n`,
    kept: false,
  },
  {
    name: 'HEAD that is answered with a body',
    ask: head,
    answer: `${ok}Content-Length: 4\r\n\r\nevil`,
    received: `${ok}Content-Length: 4\r\n\r\n`,
    kept: false,
  },
  {
    name: '204',
    answer: 'HTTP/1.1 204 No Content\r\nA: b\r\n\r\n',
    received: 'HTTP/1.1 204 No Content\r\nA: b\r\n\r\n',
  },
  {
    name: '204 with Content-Length (RFC 9110 section 8.6)',
    answer: 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nA: b\r\n\r\n',
    received: 'HTTP/1.1 204 No Content\r\nA: b\r\n\r\n',
  },
  {
    name: '204 with a body',
    answer: 'HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil',
    received: 'HTTP/1.1 204 No Content\r\n\r\n',
    kept: false,
  },
  {
    name: '204 with chunks',
    answer: 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n',
    received: 'HTTP/1.1 204 No Content\r\n\r\n',
    kept: false,
  },
  {
    name: '304 with the length of the representation',
    answer: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: "x"\r\n\r\n',
    received: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: "x"\r\n\r\n',
  },
  {
    name: '304 without length',
    answer: 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
    received: 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
  },
  // RFC 9110 section 15.2.
  {
    name: '100 and the response',
    answer: `HTTP/1.1 100 Continue\r\n\r\n${ok}Content-Length: 2\r\n\r\nhi`,
    received: `HTTP/1.1 100 Continue\r\n\r\n${ok}Content-Length: 2\r\n\r\nhi`,
  },
  {
    name: 'several 1xx in segments',
    answer: [
      'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r',
      `\nHTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n${ok}Content-Length: 2\r\n\r\nhi`,
    ],
    received: `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n${ok}Content-Length: 2\r\n\r\nhi`,
  },
  {
    name: '1xx and a response to HEAD',
    ask: head,
    answer: `HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n${ok}Content-Length: 2\r\n\r\n`,
    received: `HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n${ok}Content-Length: 2\r\n\r\n`,
  },
  {
    name: 'no 1xx to HTTP/1.0',
    ask: alive10,
    answer: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\n\r\n${ok}Content-Length: 2\r\n\r\nhi`,
    received: `${ok}Content-Length: 2\r\nconnection: keep-alive\r\n\r\nhi`,
  },
  // HTTP/1.0 clients.
  {
    name: 'HTTP/1.0, closed',
    ask: get10,
    answer: `${ok}Content-Length: 2\r\n\r\nhi`,
    received: `${ok}Content-Length: 2\r\nconnection: close\r\n\r\nhi`,
    client: 'end',
  },
  {
    name: 'HTTP/1.0 with keep-alive',
    ask: alive10,
    answer: `${ok}Content-Length: 2\r\n\r\nhi`,
    received: `${ok}Content-Length: 2\r\nconnection: keep-alive\r\n\r\nhi`,
  },
  {
    name: 'chunks to HTTP/1.0 with keep-alive, closed (RFC 9112 section 6.1)',
    ask: alive10,
    answer: `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\nX: y\r\n\r\n`,
    received: `${ok}connection: close\r\n\r\nhi!`,
    client: 'end',
  },
  {
    name: 'a close-delimited body to HTTP/1.0',
    ask: alive10,
    answer: `${ok}\r\nhello`,
    closing: 'end',
    received: `${ok}connection: close\r\n\r\nhello`,
    client: 'end',
    kept: false,
  },
  {
    name: 'Connection: close of the client',
    ask: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    answer: `${ok}Content-Length: 2\r\n\r\nhi`,
    received: `${ok}Content-Length: 2\r\nconnection: close\r\n\r\nhi`,
    client: 'end',
  },
  // Bytes that nobody asked for stay with the connection they came on.
  {
    name: 'a second response behind the first',
    answer: `${ok}Content-Length: 2\r\n\r\nhi${ok}Content-Length: 4\r\n\r\nevil`,
    received: `${ok}Content-Length: 2\r\n\r\nhi`,
    kept: false,
  },
  {
    name: 'a second response behind a chunked one',
    answer: `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${ok}Content-Length: 4\r\n\r\nevil`,
    received: `${ok}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    kept: false,
  },
  {
    name: 'more body than Content-Length',
    answer: `${ok}Content-Length: 2\r\n\r\nhievil`,
    received: `${ok}Content-Length: 2\r\n\r\nhi`,
    kept: false,
  },
  {
    name: 'an empty line behind the response',
    answer: `${ok}Content-Length: 2\r\n\r\nhi\r\n`,
    received: `${ok}Content-Length: 2\r\n\r\nhi`,
    kept: false,
  },
];

/** Bodies that break off or break their framing after the head has been passed on. */
const cut: Case[] = [
  {
    name: 'a body shorter than its length',
    answer: `${ok}Content-Length: 5\r\n\r\nhel`,
    closing: 'end',
    received: `${ok}Content-Length: 5\r\n\r\nhel`,
  },
  {
    name: 'a body shorter than its length, reset',
    answer: `${ok}Content-Length: 5\r\n\r\nhel`,
    closing: 'reset',
    received: `${ok}Content-Length: 5\r\n\r\nhel`,
  },
  {
    name: 'a body shorter than its length to HTTP/1.0',
    ask: get10,
    answer: `${ok}Content-Length: 5\r\n\r\nhel`,
    closing: 'end',
    received: `${ok}Content-Length: 5\r\nconnection: close\r\n\r\nhel`,
  },
  {
    name: 'chunks that end early',
    answer: `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n5\r\nhel`,
    closing: 'end',
    received: `${ok}transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n3\r\nhel\r\n`,
  },
  {
    name: 'chunks without the last one',
    answer: `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n`,
    closing: 'end',
    received: `${ok}transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n`,
  },
  {
    name: 'chunks that end early to HTTP/1.0',
    ask: alive10,
    answer: `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n`,
    closing: 'end',
    received: `${ok}connection: close\r\n\r\nhi`,
  },
  {
    name: 'a close-delimited body that is reset',
    answer: `${ok}\r\nhello`,
    closing: 'reset',
    received: `${ok}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`,
  },
  {
    name: 'a bad chunk size',
    answer: `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n`,
    later: 'evil\r\n',
    received: `${ok}transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n`,
  },
  {
    name: 'a chunk without CRLF behind it',
    answer: `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nhi`,
    later: 'evil',
    received: `${ok}transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n`,
  },
  {
    name: 'a chunk size with LF',
    answer: `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n`,
    later: '2\nhi\r\n',
    received: `${ok}transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n`,
  },
  {
    name: 'an endless chunk extension',
    answer: `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n`,
    later: `1;${'x'.repeat(400_000)}`,
    received: `${ok}transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n`,
  },
];

const broken: [name: string, answer: string | string[], closing?: 'end' | 'reset'][] = [
  ['nothing, closed', '', 'end'],
  ['nothing, reset', '', 'reset'],
  ['half a head', 'HTTP/1.1 200 OK\r\nContent-Le', 'end'],
  ['half a head, reset', 'HTTP/1.1 200 OK\r\nContent-Le', 'reset'],
  ['garbage', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['binary garbage', '\x15\x03\x01\x00\x02\x02\x50'],
  ['a body without head (HTTP/0.9)', '<html></html>', 'end'],
  ['HTTP/2.0', `HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n`],
  ['HTTP/1.2', `HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n`],
  ['RTSP', `RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n`],
  ['ICE', `ICE/1.0 200 OK\r\nContent-Length: 0\r\n\r\n`],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a status below 100', 'HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n'],
  ['status 000', 'HTTP/1.1 000 OK\r\n\r\n'],
  ['TE and CL', `${ok}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n`],
  ['CL and TE', `${ok}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['CL and an empty TE', `${ok}Content-Length: 2\r\nTransfer-Encoding:\r\n\r\nhi`],
  ['two CL', `${ok}Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi`],
  ['the same CL twice', `${ok}Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi`],
  ['a list in CL', `${ok}Content-Length: 2, 2\r\n\r\nhi`],
  ['a negative CL', `${ok}Content-Length: -2\r\n\r\nhi`],
  ['an empty CL', `${ok}Content-Length:\r\n\r\nhi`],
  ['CL beyond 2^53', `${ok}Content-Length: 9007199254740993\r\n\r\nhi`],
  ['an overflow in CL', `${ok}Content-Length: 99999999999999999999\r\n\r\nhi`],
  ['an empty TE', `${ok}Transfer-Encoding:\r\n\r\nhi`],
  ['TE: gzip', `${ok}Transfer-Encoding: gzip\r\n\r\nhi`],
  ['TE: gzip, chunked', `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ['TE: chunked, gzip', `${ok}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`],
  ['TE: identity', `${ok}Transfer-Encoding: identity\r\n\r\n0\r\n\r\n`],
  ['TE twice', `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['TE in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['obs-fold', `${ok}A: b\r\n c\r\nContent-Length: 0\r\n\r\n`],
  ['bare LF', `HTTP/1.1 200 OK\nContent-Length: 0\n\n`],
  ['bare LF in a value', `${ok}A: b\nSet-Cookie: evil\r\nContent-Length: 0\r\n\r\n`],
  ['bare CR in a value', `${ok}A: b\rSet-Cookie: evil\r\nContent-Length: 0\r\n\r\n`],
  ['bare CR in the reason', 'HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n'],
  ['NUL in a value', `${ok}A: b\0\r\nContent-Length: 0\r\n\r\n`],
  ['a space before the colon', `${ok}A : b\r\nContent-Length: 0\r\n\r\n`],
  ['a field without name', `${ok}: b\r\nContent-Length: 0\r\n\r\n`],
  [
    '101 that nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  ],
  ['101 without Upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['1xx without end', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(40)],
  ['only a 1xx', 'HTTP/1.1 100 Continue\r\n\r\n', 'end'],
  ['a head without end', [ok, ...Array<string>(40).fill(`A: ${'b'.repeat(5000)}\r\n`)]],
];

async function play(peer: Peer, answer: string | string[], closing?: 'end' | 'reset') {
  await peer.writePieces([answer].flat());
  if (closing === 'end') peer.end();
  // What was written has to arrive before the reset that would discard it.
  if (closing === 'reset') setTimeout(() => peer.reset(), 20);
}

/** The next exchange on this connection works, and shows whether the upstream's was kept. */
async function expectInStep(client: Peer, kept: boolean) {
  backend.script = answering(fine);
  const before = backend.connections.length;
  client.write(get);
  const next = await client.message();
  expect(next.body.toString()).toBe('fine');
  expect(backend.connections.length).toBe(kept ? before : before + 1);
}

describe('a response that is passed on', () => {
  it.each(passed)('$name', async ({ ask, answer, closing, received, client: after, kept }) => {
    backend.script = { request: (_request, peer) => void play(peer, answer, closing) };
    const client = await connectTo(gateway.port);
    client.write(ask ?? get);
    await client.until('the whole response', ({ all }) => {
      return all.replace(requestIdLine, '').length >= received.length;
    });
    if (after !== undefined) expect(await client.close()).toBe(after);
    expect(client.all.replace(requestIdLine, '')).toBe(received);
    client.bytes = Buffer.alloc(0);
    if (after === undefined) await expectInStep(client, kept ?? true);
    expect(client.error).toBe('');
    client.end();
  });
});

describe('a response that breaks off is cut, so that the client knows', () => {
  it.each(cut)('$name', async ({ ask, answer, later, closing, received }) => {
    backend.script = { request: (_request, peer) => void play(peer, answer, closing) };
    const client = await connectTo(gateway.port);
    client.write(ask ?? get);
    if (later !== undefined) {
      await client.until('the good part', ({ all }) => {
        return all.replace(requestIdLine, '').length >= received.length;
      });
      (await backend.connection(0)).write(later);
    }
    expect(await client.close()).toBe('ECONNRESET');
    expect(client.all.replace(requestIdLine, '')).toBe(received);
    await expectInStep(await connectTo(gateway.port), false);
  });
});

describe('a response that cannot be trusted is answered with 502', () => {
  it.each(broken)('%s', async (_name, answer, closing) => {
    backend.script = { request: (_request, peer) => void play(peer, answer, closing) };
    const client = await connectTo(gateway.port);
    client.write(get);
    let response = await client.message();
    while (statusOf(response) < 200) response = await client.message();
    expect(statusOf(response)).toBe(502);
    expect(response.body.toString()).toBe('{"error":"Bad gateway"}');
    expect(valuesOf(response.fields, 'x-request-id')).toHaveLength(1);
    // It was sent once: whoever answers, however badly, has seen the request.
    expect(backend.requests).toHaveLength(1);
    await expectInStep(client, false);
    client.end();
  });
});

describe('bytes that no request asked for', () => {
  it.each([
    ['a response while the connection idles', `${ok}Content-Length: 4\r\n\r\nevil`],
    ['one byte while the connection idles', '\r'],
  ])('%s close it and never reach a client', async (_name, bytes) => {
    backend.script = answering(fine);
    const client = await connectTo(gateway.port);
    client.write(get);
    await client.message();
    const upstream = await backend.connection(0);
    upstream.write(bytes);
    expect(await upstream.close()).toMatch(/end|ECONNRESET/);
    await expectInStep(client, false);
    client.end();
  });
});
