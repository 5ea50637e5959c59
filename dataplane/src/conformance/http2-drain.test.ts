import { afterEach, beforeEach, expect, it } from 'vitest';
import { type RawBackend, startBackend } from '../testing/backend.ts';
import { connectFrames, type FrameClient } from '../testing/frame-client.ts';
import { startGatewayTo, type TestGateway } from '../testing/gateway.ts';
import { errorCode, type Frame, frameTypes, headersFrame } from '../testing/http2-frames.ts';

const anyStream = 2 ** 31 - 1;

let backend: RawBackend;
let gateway: TestGateway;
let client: FrameClient;

beforeEach(async () => {
  backend = await startBackend();
  gateway = await startGatewayTo(backend);
  client = await connectFrames(gateway.port);
});
afterEach(async () => {
  client.close();
  await backend.close();
});

const goaways = (frames: Frame[]) => frames.filter(({ type }) => type === frameTypes.goaway);

it('a data plane that ends serves what is under way, and what comes before its client knows', async () => {
  backend.script = { request: () => undefined };
  client.send(headersFrame(1));
  await expect.poll(() => backend.requests.length).toBe(1);
  const closed = gateway.close();
  const [notice] = await client.until('the notice', (frames) => {
    const found = goaways(frames);
    return found.length > 0 && found;
  });
  // RFC 9113 section 6.8.
  expect(notice?.payload.readUInt32BE(0)).toBe(anyStream);
  expect(notice?.payload.readUInt32BE(4)).toBe(errorCode.none);
  client.send(headersFrame(3));
  await expect.poll(() => backend.requests.length).toBe(2);
  for (const peer of backend.connections)
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  expect(await client.outcome(1)).toBe('200');
  expect(await client.outcome(3)).toBe('200');
  expect(await client.closed()).toBe(errorCode.none);
  client.close();
  await closed;
});

it('a connection without requests is closed at once', async () => {
  const closed = gateway.close();
  expect(await client.closed()).toBe(errorCode.none);
  client.close();
  await closed;
});
