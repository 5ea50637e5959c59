import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RawBackend, startBackend } from '../testing/backend.ts';
import { connectTo } from '../testing/client.ts';
import type { Answer, Order } from '../testing/gateway-process.ts';
import type { Peer } from '../testing/peer.ts';

/** 256 MiB rather than 1 GiB, so that the tests stay quick; GATEHOUSE_FLOW_MIB sets another size. */
const mebibytes = Number(process.env.GATEHOUSE_FLOW_MIB ?? 256);
const block = Buffer.alloc(1024 * 1024, 'x');

let backend: RawBackend;
let child: ChildProcess;
let port = 0;

async function tell(order: Order): Promise<Answer> {
  const answered = once(child, 'message');
  child.send(order);
  const [answer] = await answered;
  return answer as Answer;
}

async function memory(order: 'rest' | 'peak'): Promise<number> {
  const answer = await tell(order);
  return 'mebibytes' in answer ? answer.mebibytes : Number.NaN;
}

beforeAll(async () => {
  backend = await startBackend();
  // A process of its own, so that what is measured is the gateway's memory alone.
  child = fork(new URL('../testing/gateway-process.ts', import.meta.url), {
    execArgv: ['--expose-gc'],
  });
  const answer = await tell({ start: backend.port });
  port = 'port' in answer ? answer.port : 0;
});
afterAll(async () => {
  child.kill();
  await backend.close();
});

type Framing = 'length' | 'chunked';

function framingLines(framing: Framing, blocks: number): string {
  return framing === 'chunked'
    ? 'Transfer-Encoding: chunked\r\n\r\n'
    : `Content-Length: ${blocks * block.length}\r\n\r\n`;
}

/** Sends blocks as fast as they are taken. */
async function pour(socket: Socket, framing: Framing, blocks: number) {
  for (let i = 0; i < blocks; i++) {
    if (framing === 'chunked') socket.write(`${block.length.toString(16)}\r\n`);
    let ready = socket.write(block);
    if (framing === 'chunked') ready = socket.write('\r\n');
    if (!ready) await once(socket, 'drain');
  }
  if (framing === 'chunked') socket.write('0\r\n\r\n');
}

/** Rests at the start, and then a millisecond for each mebibyte. */
function readSlowly(peer: Peer) {
  peer.counting = true;
  const rest = (time: number) => {
    peer.socket.pause();
    setTimeout(() => peer.socket.resume(), time);
  };
  rest(300);
  let next = block.length;
  peer.socket.on('data', () => {
    if (peer.total < next) return;
    next += block.length;
    rest(1);
  });
}

async function download(framing: Framing, blocks: number): Promise<number> {
  backend.script = {
    connection: async (peer) => {
      await peer.head();
      peer.write(`HTTP/1.1 200 OK\r\nConnection: close\r\n${framingLines(framing, blocks)}`);
      await pour(peer.socket, framing, blocks);
    },
  };
  const client = await connectTo(port);
  readSlowly(client);
  client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await once(client.socket, 'end');
  client.end();
  return client.total;
}

async function upload(framing: Framing, blocks: number): Promise<number> {
  const taken = Promise.withResolvers<number>();
  backend.script = {
    connection: (peer) => {
      readSlowly(peer);
      peer.socket.on('data', (chunk: Buffer) => {
        if (peer.total < blocks * block.length) return;
        const end = framing === 'length' || chunk.toString('latin1').endsWith('0\r\n\r\n');
        if (!end) return;
        peer.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
        taken.resolve(peer.total);
      });
    },
  };
  const client = await connectTo(port);
  client.write(
    `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${framingLines(framing, blocks)}`,
  );
  await pour(client.socket, framing, blocks);
  await client.message();
  client.end();
  return taken.promise;
}

describe('a long body to a reader that is slower than its writer', () => {
  it.each([
    ['download', 'length', download],
    ['download', 'chunked', download],
    ['upload', 'length', upload],
    ['upload', 'chunked', upload],
  ] as const)(
    '%s, framed by %s: the gateway holds back the writer',
    async (_name, framing, run) => {
      backend.reset();
      await run(framing, 64);
      const before = await memory('rest');
      const received = await run(framing, mebibytes);
      const extra = (await memory('peak')) - before;
      expect(received).toBeGreaterThanOrEqual(mebibytes * block.length);
      expect(extra).toBeLessThan(64);
    },
    20_000,
  );
});
