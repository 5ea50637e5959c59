import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

/** Backend and clients as a process of their own: `{ open: count, url }` opens so many that have echoed once. */
type Order = { open: number; url: string };

/** Connections that are being opened at one time. */
const atOnce = 50;
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
const sockets: WebSocket[] = [];

server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));

async function echo(socket: WebSocket, text: string) {
  socket.send(text);
  const [data] = await once(socket, 'message');
  if (String(data) !== text) throw new Error(`Cannot echo "${text}": ${data} came back`);
}

async function open({ open: count, url }: Order) {
  const one = async () => {
    while (sockets.length < count) {
      const socket = new WebSocket(url, { perMessageDeflate: false });
      sockets.push(socket);
      await once(socket, 'open');
      await echo(socket, `message ${sockets.length}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  const openNow = sockets.filter(({ readyState }) => readyState === WebSocket.OPEN).length;
  process.send?.({ type: 'open', count: openNow });
}

process.on('message', (order: Order) => void open(order));
process.once('disconnect', () => process.exit());
await once(server, 'listening');
process.send?.({ type: 'ready', port: (server.address() as AddressInfo).port });
