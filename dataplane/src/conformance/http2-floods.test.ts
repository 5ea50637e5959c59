import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RawBackend, startBackend } from '../testing/backend.ts';
import { type Clients, clientsOf } from '../testing/clients.ts';
import { connectFrames, type FrameClient } from '../testing/frame-client.ts';
import {
  errorCode,
  fieldBlock,
  fieldsOf,
  flag,
  frame,
  frameTypes,
  headersFrame,
  settingsFrame,
  uint32,
} from '../testing/http2-frames.ts';
import { type MeasuredGateway, startMeasuredGateway } from '../testing/measured-gateway.ts';
import { statusOf } from '../testing/message.ts';

/** Mebibytes that a flood may cost the process of the gateway at its peak. */
const allowance = 48;
/** Milliseconds of a flood that is not stopped, which is a failure. */
const longest = 10_000;

let backend: RawBackend;
let gateway: MeasuredGateway;
let clients: Clients;
let other: FrameClient;

beforeAll(async () => {
  backend = await startBackend();
  gateway = await startMeasuredGateway(backend.port);
  clients = clientsOf(() => gateway.port);
  other = await connectFrames(gateway.port);
});
afterEach(() => backend.reset());
afterAll(async () => {
  other.close();
  clients.close();
  gateway.close();
  await backend.close();
});

const id = (i: number) => 2 * i + 1;
const ping = Buffer.from('12345678');
const priority = Buffer.from([0, 0, 0, 0, 16]);
const upload = fieldsOf({ ':method': 'POST' });
/** The first frame opens a request that does not end, the others are `more`. */
const within = (more: Buffer) => (i: number) => (i === 0 ? headersFrame(1, upload, 0) : more);
/** The first frame begins a head that does not end. */
const withinHead = (more: Buffer) => (i: number) =>
  i === 0 ? frame(frameTypes.headers, flag.endStream, 1, fieldBlock(fieldsOf())) : more;
/** A field that the decoder remembers (RFC 7541 section 6.2.1), and 16,000 times its index. */
const remembered = Buffer.concat([
  Buffer.from([0x40]),
  fieldBlock([['x', 'y'.repeat(3900)]]).subarray(1),
]);
const recalled = Buffer.alloc(16_000, 0xbe);
const manyFields = fieldBlock(Array.from({ length: 2000 }, () => ['a', 'b'] as const));

function headOf(i: number, ...parts: Buffer[]): Buffer {
  const block = Buffer.concat([fieldBlock(fieldsOf()), ...parts]);
  return frame(frameTypes.headers, flag.endHeaders | flag.endStream, id(i), block);
}

type Flood = [
  name: string,
  /** What nghttp2, node:http2 or the gateway says of it; -1: the connection is closed without GOAWAY. */
  codes: number[],
  next: (i: number) => Buffer,
];
const { none, protocol, internal, enhanceYourCalm } = errorCode;
/** node:http2 says INTERNAL_ERROR of what made nghttp2 give up. */
const wrong = [protocol, internal];
const calm = [enhanceYourCalm, internal];

const floods: Flood[] = [
  [
    'requests that are reset at once (CVE-2023-44487)',
    wrong,
    (i) => Buffer.concat([headersFrame(id(i)), frame(frameTypes.resetStream, 0, id(i), uint32(8))]),
  ],
  [
    'requests that make the gateway reset them (CVE-2025-8671)',
    wrong,
    (i) =>
      Buffer.concat([
        headersFrame(id(i), upload, 0),
        frame(frameTypes.windowUpdate, 0, id(i), uint32(0)),
      ]),
  ],
  ['SETTINGS', calm, () => settingsFrame(4, 65_535)],
  ['acknowledged SETTINGS', wrong, () => frame(frameTypes.settings, flag.ack, 0)],
  ['PING', calm, () => frame(frameTypes.ping, 0, 0, ping)],
  ['answered PING', wrong, () => frame(frameTypes.ping, flag.ack, 0, ping)],
  [
    'CONTINUATION (CVE-2024-27316)',
    wrong,
    withinHead(frame(frameTypes.continuation, 0, 1, fieldBlock([['a', 'b'.repeat(100)]]))),
  ],
  ['empty CONTINUATION', wrong, withinHead(frame(frameTypes.continuation, 0, 1))],
  ['empty DATA', wrong, within(frame(frameTypes.data, 0, 1))],
  [
    'DATA that is padding',
    calm,
    within(frame(frameTypes.data, flag.padded, 1, Buffer.from([3, 0, 0, 0]))),
  ],
  [
    'empty HEADERS',
    wrong,
    (i) => frame(frameTypes.headers, flag.endHeaders | flag.endStream, id(i)),
  ],
  ['PRIORITY', calm, () => frame(frameTypes.priority, 0, 1, priority)],
  ['PRIORITY of ever new streams', calm, (i) => frame(frameTypes.priority, 0, id(i), priority)],
  ['WINDOW_UPDATE of the connection', calm, () => frame(frameTypes.windowUpdate, 0, 0, uint32(1))],
  ['WINDOW_UPDATE of a stream', calm, within(frame(frameTypes.windowUpdate, 0, 1, uint32(1)))],
  [
    'RST_STREAM of a stream that is over',
    wrong,
    (i) => (i === 0 ? headersFrame(1) : frame(frameTypes.resetStream, 0, 1, uint32(8))),
  ],
  ['frames of unknown types', calm, () => frame(0x42, 0, 0, ping)],
  ['GOAWAY', [none, ...wrong], () => frame(frameTypes.goaway, 0, 0, ping)],
  [
    'heads that recall a large field (HPACK bomb)',
    calm,
    (i) => headOf(i, i === 0 ? remembered : recalled),
  ],
  ['heads with too many fields', calm, (i) => headOf(i, manyFields)],
  ['requests without :path', wrong, (i) => headersFrame(id(i), [[':method', 'GET']])],
];

/** Sends until the gateway closes; -1 when it does not. Returns the frames that were sent. */
async function flood(client: FrameClient, next: (i: number) => Buffer): Promise<number> {
  const { peer } = client;
  const end = performance.now() + longest;
  let sent = 0;
  while (peer.open && performance.now() < end) {
    const batch: Buffer[] = [];
    for (let bytes = 0; bytes < 16_384 && batch.length < 100; ) {
      const part = next(sent++);
      bytes += part.length;
      batch.push(part);
    }
    client.send(...batch);
    await peer.until('room to write', ({ open, socket }) => !open || !socket.writableNeedDrain);
    // What is answered has to be read.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return peer.open ? -1 : sent;
}

let next = 1;

/** Connections that were open before, and new ones, are served. */
async function expectServing() {
  const stream = next;
  next += 2;
  other.send(headersFrame(stream));
  expect(await other.outcome(stream)).toBe('200');
  expect(statusOf(await clients.ask())).toBe(200);
}

describe('a flood ends with its connection, memory stays, others are served', () => {
  it.each(floods)('%s', async (_name, codes, make) => {
    const rest = await gateway.rest();
    const client = await connectFrames(gateway.port);
    const [sent] = await Promise.all([flood(client, make), expectServing()]);
    expect(sent).toBeGreaterThan(0);
    // A RST may overtake the GOAWAY.
    expect([...codes, -1]).toContain(await client.closed());
    client.close();
    await expectServing();
    expect((await gateway.peak()) - rest).toBeLessThan(allowance);
  });

  it.each<[string, (i: number) => Buffer]>([
    ['SETTINGS', () => settingsFrame(4, 65_535)],
    ['PING', () => frame(frameTypes.ping, 0, 0, ping)],
  ])('%s whose answers nobody reads', async (_name, make) => {
    const rest = await gateway.rest();
    const client = await connectFrames(gateway.port);
    client.peer.socket.pause();
    const ended = flood(client, make);
    await expectServing();
    // The client does not read, so it learns of the end by what it cannot write.
    expect(await ended).toBeGreaterThan(0);
    client.close();
    expect((await gateway.peak()) - rest).toBeLessThan(allowance);
  });
});

describe('what is no flood', () => {
  it('a thousand requests, one after the other, with a PING and two WINDOW_UPDATE each', async () => {
    const client = await connectFrames(gateway.port);
    for (let i = 0; i < 1000; i++) {
      client.send(headersFrame(id(i)), frame(frameTypes.ping, 0, 0, ping));
      client.send(
        ...[0, id(i)].map((stream) => frame(frameTypes.windowUpdate, 0, stream, uint32(2))),
      );
      await client.until('a response', (frames) => {
        const done = frames.some(
          ({ stream, flags, type }) => stream === id(i) && type <= 1 && flags & flag.endStream,
        );
        if (done) frames.length = 0;
        return done;
      });
    }
    expect(client.peer.open).toBe(true);
    client.close();
  });

  it('a large upload that is refused', async () => {
    const client = await connectFrames(gateway.port);
    const bad = fieldsOf({ ':method': 'POST', ':path': '/%00' });
    for (let i = 0; i < 40; i++) {
      client.send(headersFrame(id(i), bad, 0));
      for (let sent = 0; sent < 65_536; sent += 16_384) {
        client.send(frame(frameTypes.data, 0, id(i), Buffer.alloc(16_384)));
      }
      expect(await client.outcome(id(i))).toBe('400');
    }
    client.send(headersFrame(id(40)));
    expect(await client.outcome(id(40))).toBe('200');
    client.close();
  });
});
