import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import { authPolicy, forwardRule } from '../testing/snapshot.ts';

let server: WebSocketServer;
let gateway: TestGateway;
/** Connections that the backend has ever got. */
let opened = 0;

beforeAll(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', (socket) => {
    opened++;
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  });
  const { port } = server.address() as AddressInfo;
  gateway = await startGateway({
    rules: [
      forwardRule('up', { prefix: '/open', upgrades: ['websocket'] }),
      forwardRule('up', { prefix: '/closed', name: 'closed', upgrades: ['websocket'] }),
    ],
    upstreams: { up: { endpoints: [{ port }] } },
    policies: [
      authPolicy(
        { authorization: [{ name: 'nobody', expression: 'false' }] },
        { scope: 'default/test/0/default/test/closed' },
      ),
    ],
  });
});
afterAll(async () => {
  await gateway.close();
  for (const client of server.clients) client.terminate();
  server.close();
});

const url = (path: string) => `ws://127.0.0.1:${gateway.port}${path}`;

it.each([0, 5, 125, 126, 65_535, 65_536, 1_000_000])('echoes %i bytes', async (size) => {
  const socket = new WebSocket(url('/open'), { perMessageDeflate: false });
  await once(socket, 'open');
  const sent = Buffer.alloc(size, 'ä');
  socket.send(sent);
  const [received] = (await once(socket, 'message')) as [Buffer];
  expect(received.equals(sent)).toBe(true);
  socket.close(1000, 'bye');
  expect(await once(socket, 'close')).toEqual([1000, Buffer.from('bye')]);
});

it('passes on subprotocols, extensions, pings', async () => {
  const socket = new WebSocket(url('/open'), ['chat', 'other']);
  await once(socket, 'open');
  expect(socket.protocol).toBe('chat');
  socket.ping('are you there');
  expect(String((await once(socket, 'pong'))[0])).toBe('are you there');
  socket.close();
  await once(socket, 'close');
});

it('asks policies first', async () => {
  const before = opened;
  const socket = new WebSocket(url('/closed'));
  const [, answer] = await once(socket, 'unexpected-response');
  expect([401, 403]).toContain(answer.statusCode);
  answer.destroy();
  expect(opened).toBe(before);
});
