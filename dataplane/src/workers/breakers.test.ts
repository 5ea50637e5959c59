import type { Worker } from 'node:worker_threads';
import { Lane } from '@gatehouse/snapshot';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { defaultLimits } from '../http1/limits.ts';
import { answering, type RawBackend, startBackend } from '../testing/backend.ts';
import { connectTo } from '../testing/client.ts';
import { reservePort } from '../testing/gateway.ts';
import { statusOf } from '../testing/message.ts';
import { type Peer, patient } from '../testing/peer.ts';
import { forwardRule, lanesOf } from '../testing/snapshot.ts';
import { Oversight } from '../upstreams/oversight.ts';
import { startWorkers, type WorkerFleet } from './fleet.ts';

const fine = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const broken = 'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 3\r\n\r\nbad';

let backend: RawBackend;
let fleet: WorkerFleet;
let oversight: Oversight;
let port = 0;
const threads: Worker[] = [];
const clients: Peer[] = [];
const remember = (thread: Worker) => threads.push(thread);
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

beforeEach(async () => {
  threads.length = 0;
  process.on('worker', remember);
  backend = await startBackend(answering(broken));
  const reserved = await reservePort();
  port = reserved.port;
  await reserved.release();
  fleet = startWorkers({
    count: 2,
    host: '127.0.0.1',
    zone: '',
    limits: defaultLimits,
    logLevel: 'fatal',
    accessLog: undefined,
    log,
  });
  oversight = new Oversight(fleet.upstreams);
});
afterEach(async () => {
  process.off('worker', remember);
  for (const client of clients.splice(0)) client.socket.destroy();
  await fleet.close(0);
  await backend.close();
});

async function use(circuitBreaker: object) {
  const breaker = { failureThreshold: 10, timeoutMs: 60_000, halfOpenRequests: 3 };
  const { config, endpoints } = lanesOf(
    {
      rules: [forwardRule('up')],
      upstreams: {
        up: {
          endpoints: [{ port: backend.port }],
          more: { circuitBreaker: { ...breaker, ...circuitBreaker } },
        },
      },
    },
    port,
  );
  expect(await fleet.apply(Lane.ENDPOINTS, endpoints)).toEqual([]);
  expect(await fleet.apply(Lane.CONFIG, config)).toEqual([]);
  oversight.use(config);
}

/** Sends a request on each of so many new connections: about half of them come to each thread. */
async function send(count: number): Promise<Peer[]> {
  const peers = await Promise.all(Array.from({ length: count }, () => connectTo(port)));
  for (const peer of peers) peer.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  clients.push(...peers);
  return peers;
}

async function statuses(count: number): Promise<number[]> {
  return Promise.all((await send(count)).map(async (peer) => statusOf(await peer.message())));
}

const state = () => oversight.breakers()[0]?.state;

it('what one thread has seen holds for all, is shown, and can be reset', async () => {
  await use({});
  while (state() === 'closed') await statuses(4);
  expect(new Set(await statuses(40))).toEqual(new Set([503]));
  expect(oversight.breakers()).toEqual([
    {
      service: 'up',
      resource: 'up',
      state: 'open',
      consecutiveFailures: expect.any(Number),
      failureThreshold: 10,
      forSeconds: expect.any(Number),
      probesInSeconds: expect.any(Number),
    },
  ]);
  expect(oversight.metrics().map(({ labels, value }) => [labels, value])).toEqual([
    ['service="up",upstream="up"', 1],
  ]);
  backend.script = answering(fine);
  expect(oversight.reset('nobody')).toBe(false);
  expect(oversight.reset('up')).toBe(true);
  expect(new Set(await statuses(40))).toEqual(new Set([200]));
});

it('half-open lets just so many probes through over all threads', async () => {
  await use({ timeoutMs: 300 });
  while (state() === 'closed') await statuses(4);
  const held: Peer[] = [];
  backend.script = { request: (_request, peer) => held.push(peer) };
  await expect.poll(state, patient).toBe('half-open');
  const waiting = [...(await send(40)), ...(await send(40))];
  const refusals = () => waiting.filter(({ bytes }) => bytes.length > 0).length;
  await expect.poll(() => refusals() + held.length, patient).toBe(80);
  expect(held).toHaveLength(3);
  for (const peer of held) peer.write(fine);
  backend.script = answering(fine);
  await expect.poll(state, patient).toBe('closed');
  expect(new Set(await statuses(20))).toEqual(new Set([200]));
});

it('survives every thread: it stays open, and probes of dead threads go to others', async () => {
  await use({ timeoutMs: 300 });
  while (state() === 'closed') await statuses(4);
  const held: Peer[] = [];
  backend.script = { request: (_request, peer) => held.push(peer) };
  await expect.poll(state, patient).toBe('half-open');
  await send(20);
  await expect.poll(() => held.length, patient).toBe(3);
  for (const thread of threads.slice(0, 2)) {
    const before = threads.length;
    await thread.terminate();
    await expect.poll(() => threads.length, patient).toBe(before + 1);
  }
  // Nothing was learned, so that it is as it was.
  expect(state()).toBe('half-open');
  const again: Peer[] = [];
  backend.script = { request: (_request, peer) => again.push(peer) };
  await expect
    .poll(async () => {
      const peers = await Promise.allSettled([send(5)]);
      return peers.length > 0 && again.length;
    }, patient)
    .toBe(3);
  for (const peer of again) peer.write(fine);
  await expect.poll(state, patient).toBe('closed');
});

it('a limit of requests holds over all threads, and is given back by those that die', async () => {
  await use({ limits: { maxRequests: 5 } });
  const held: Peer[] = [];
  backend.script = { request: (_request, peer) => held.push(peer) };
  const waiting = await send(40);
  const refusals = () => waiting.filter(({ bytes }) => bytes.length > 0).length;
  await expect.poll(() => refusals() + held.length, patient).toBe(40);
  expect(held).toHaveLength(5);
  expect(oversight.breakers()[0]).toMatchObject({ requests: 5, maxRequests: 5 });
  for (const thread of threads.slice(0, 2)) await thread.terminate();
  await expect.poll(() => oversight.breakers()[0]?.requests, patient).toBe(0);
});
