import { connect, type Socket } from 'node:net';
import type { Sample } from './figures.ts';

/** The load as a process of its own: so many requests a second whatever becomes of those before. */
type Order = { port: number; rate: number; milliseconds: number };

/** Milliseconds after which a request without an answer has failed. */
const patience = 10_000;
/** Milliseconds between two looks at how many requests are due. */
const tick = 2;
const request = 'GET /chaos HTTP/1.1\r\nhost: chaos.example\r\n\r\n';

const samples: Sample[] = [];
const idle: Connection[] = [];
let begin = 0;
let open = 0;

type Connection = {
  socket: Socket;
  read: string;
  sentAt: number;
  timer: NodeJS.Timeout | undefined;
};

function take(port: number): Connection {
  const kept = idle.pop();
  if (kept) return kept;
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.setEncoding('latin1');
  const connection: Connection = { socket, read: '', sentAt: -1, timer: undefined };
  socket.on('data', (text: string) => {
    connection.read += text;
    const head = connection.read.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(connection.read)?.[1] ?? 0);
    if (connection.read.length < head + 4 + length) return;
    const status = Number(connection.read.slice(9, 12));
    const closes = /\r\nconnection: close/i.test(connection.read.slice(0, head));
    connection.read = '';
    finish(connection, status);
    if (closes) socket.destroy();
    else idle.push(connection);
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    const index = idle.indexOf(connection);
    if (index >= 0) idle.splice(index, 1);
    finish(connection, 0);
  });
  return connection;
}

function finish(connection: Connection, status: number) {
  if (connection.sentAt < 0) return;
  clearTimeout(connection.timer);
  const took = performance.now() - begin - connection.sentAt;
  samples.push({ sentAt: connection.sentAt, took, status });
  connection.sentAt = -1;
  open--;
}

function send(port: number) {
  const connection = take(port);
  connection.sentAt = performance.now() - begin;
  connection.timer = setTimeout(() => connection.socket.destroy(), patience);
  open++;
  connection.socket.write(request);
}

function run({ port, rate, milliseconds }: Order) {
  begin = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const now = Math.min(performance.now() - begin, milliseconds);
    for (; sent < (now * rate) / 1000; sent++) send(port);
    if (now < milliseconds || open > 0) return;
    clearInterval(timer);
    process.send?.({ type: 'samples', samples }, () => process.exit());
  }, tick);
  process.send?.({ type: 'begun' });
}

process.on('message', run);
process.once('disconnect', () => process.exit());
