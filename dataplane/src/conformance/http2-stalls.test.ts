import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { answering, type RawBackend, startBackend } from '../testing/backend.ts';
import { type Clients, clientsOf } from '../testing/clients.ts';
import { connectFrames, type FrameClient } from '../testing/frame-client.ts';
import { startGatewayTo, type TestGateway } from '../testing/gateway.ts';
import {
  errorCode,
  fieldBlock,
  fieldsOf,
  flag,
  frame,
  frameTypes,
  headersFrame,
  preface,
  setting,
  settingsFrame,
} from '../testing/http2-frames.ts';
import { type MeasuredGateway, startMeasuredGateway } from '../testing/measured-gateway.ts';
import { statusOf } from '../testing/message.ts';
import { patient } from '../testing/peer.ts';
import { forwardRule } from '../testing/snapshot.ts';

/** As many as the gateway takes at once. */
const most = 128;
const large = `HTTP/1.1 200 OK\r\nContent-Length: 262144\r\n\r\n${'x'.repeat(262_144)}`;
const upload = fieldsOf({ ':method': 'POST' });
const ids = Array.from({ length: most }, (_, index) => 2 * index + 1);

let backend: RawBackend;
let gateway: TestGateway;
let clients: Clients;
const open: FrameClient[] = [];

async function connect(...settings: number[]): Promise<FrameClient> {
  const client = await connectFrames(gateway.port, ...settings);
  open.push(client);
  return client;
}

beforeAll(async () => {
  backend = await startBackend();
  gateway = await startGatewayTo(backend, {
    rules: [forwardRule('backend', { timeouts: { idle: 300 } })],
    limits: { headTimeout: 300, keepAliveTimeout: 300 },
  });
  clients = clientsOf(() => gateway.port);
});
afterEach(async () => {
  for (const client of open.splice(0)) client.close();
  clients.close();
  await expect.poll(() => gateway.connections(), patient).toBe(0);
  backend.reset();
});
afterAll(async () => {
  await gateway.close();
  await backend.close();
});

describe('a client that goes on for ever', () => {
  it.each([
    ['small responses, which wait for it', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['large responses', large],
  ])('opens no window: %s are given up', async (_name, response) => {
    backend.script = answering(response);
    const client = await connect(setting.initialWindowSize, 0);
    client.send(...ids.map((id) => headersFrame(id)));
    for (const id of ids) expect(await client.outcome(id)).toBe(`reset ${errorCode.internal}`);
    expect(await client.closed()).toBe(errorCode.none);
  });

  it('does not end its requests: 408', async () => {
    backend.script = { request: () => undefined };
    const client = await connect();
    client.send(...ids.map((id) => headersFrame(id, upload, 0)));
    for (const id of ids) expect(await client.outcome(id)).toBe('408');
    expect(await client.closed()).toBe(errorCode.none);
  });

  it('does not read: its connection is closed', async () => {
    backend.script = answering(large);
    const client = await connect(setting.initialWindowSize, 2 ** 31 - 1);
    client.send(frame(frameTypes.windowUpdate, 0, 0, Buffer.from([0x7f, 0, 0, 0])));
    client.peer.socket.pause();
    client.send(...ids.map((id) => headersFrame(id)));
    await expect.poll(() => backend.requests.length, patient).toBe(most);
    expect(
      statusOf(await clients.ask('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')),
    ).toBe(200);
    await expect.poll(() => gateway.connections(), patient).toBe(0);
  });

  it('stops within its preface, settings, head or frame, or sends no request: its connection is closed', async () => {
    const begun = Buffer.concat([preface, settingsFrame()]);
    const head = frame(frameTypes.headers, flag.endStream, 1, fieldBlock(fieldsOf()));
    const silent = [
      preface.subarray(0, 10),
      preface,
      begun,
      Buffer.concat([begun, head]),
      Buffer.concat([begun, head.subarray(0, 20)]),
    ];
    await Promise.all(
      silent.map(async (bytes) => {
        const client = await clients.send(bytes.toString('latin1'));
        await client.close();
      }),
    );
    await expect.poll(() => gateway.connections(), patient).toBe(0);
  });
});

describe('memory', () => {
  let measured: MeasuredGateway;
  beforeAll(async () => {
    measured = await startMeasuredGateway(backend.port);
  });
  afterAll(() => measured.close());

  it('holds no more of bodies that no backend reads than their windows', async () => {
    backend.script = { connection: ({ socket }) => void socket.pause() };
    const client = await connectFrames(measured.port);
    open.push(client);
    const rest = await measured.rest();
    client.send(...ids.map((id) => headersFrame(id, upload, 0)));
    const windows = new Map(ids.map((id) => [id, 262_144]));
    const piece = Buffer.alloc(16_384);
    // As much as a client may send that heeds windows: node:http2 opens that of the connection at once.
    let connection = 65_535;
    for (let sent = 0; sent < most * 262_144; sent += piece.length) {
      const id = ids[(sent / piece.length) % most] ?? 1;
      await client.until('room in the window', (frames) => {
        for (const { type, stream, payload } of frames) {
          if (type !== frameTypes.windowUpdate) continue;
          const more = payload.readUInt32BE();
          if (stream === 0) connection += more;
          else windows.set(stream, (windows.get(stream) ?? 0) + more);
        }
        frames.length = 0;
        return connection >= piece.length;
      });
      connection -= piece.length;
      client.send(frame(frameTypes.data, 0, id, piece));
    }
    await client.ping();
    expect((await measured.peak()) - rest).toBeLessThan(96);
  });
});
