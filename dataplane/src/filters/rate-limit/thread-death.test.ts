import type { Worker } from 'node:worker_threads';
import { Lane } from '@gatehouse/snapshot';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { defaultLimits } from '../../http1/limits.ts';
import { type RawBackend, startBackend } from '../../testing/backend.ts';
import { connectTo } from '../../testing/client.ts';
import { reservePort } from '../../testing/gateway.ts';
import { patient } from '../../testing/peer.ts';
import { forwardRule, lanesOf } from '../../testing/snapshot.ts';
import { startWorkers, type WorkerFleet } from '../../workers/fleet.ts';
import { concurrency, fixedWindow } from './algorithms.ts';
import { type CounterDemand, CounterTable } from './counter-table.ts';
import {
  counterMemoryOf,
  createCounterMemory,
  createCounters,
  releaseCounters,
} from './counters.ts';
import { asking, redisPolicy } from './redis/testing.ts';

let fleet: WorkerFleet;
let backend: RawBackend;
let port = 0;
const threads: Worker[] = [];
const remember = (thread: Worker) => threads.push(thread);
const { ask } = asking(() => port);
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

beforeEach(async () => {
  threads.length = 0;
  process.on('worker', remember);
  const reserved = await reservePort();
  port = reserved.port;
  await reserved.release();
  backend = await startBackend();
  fleet = startWorkers({
    count: 2,
    host: '127.0.0.1',
    zone: '',
    limits: defaultLimits,
    logLevel: 'fatal',
    accessLog: undefined,
    log,
  });
});
afterEach(async () => {
  process.off('worker', remember);
  await fleet.close(0);
  await backend.close();
});

it('what a thread held of a limit is given back when it dies', async () => {
  const { rules = [], ...policy } = redisPolicy({ once: { concurrency: 2, counters: [] } }, {});
  const { config, endpoints } = lanesOf(
    {
      rules: [forwardRule('backend')],
      upstreams: { backend: { endpoints: [{ port: backend.port }] } },
      policies: [{ ...policy, rules: rules.filter(({ block }) => block === 'limits') }],
    },
    port,
  );
  await fleet.apply(Lane.ENDPOINTS, endpoints);
  expect(await fleet.apply(Lane.CONFIG, config)).toEqual([]);
  const head = 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\n';
  const held = await Promise.all([connectTo(port), connectTo(port)]);
  for (const client of held) client.write(head);
  const status = async () => (await ask()).status;
  /** Requests whose body is waited for: none of them was refused because somebody asked meanwhile. */
  const waiting = () => backend.connections.filter(({ bytes }) => bytes.includes('POST')).length;
  await expect.poll(waiting, patient).toBe(2);
  expect(await status()).toBe(429);
  // Nobody knows which thread has which: both end.
  for (const thread of threads.slice(0, 2)) await thread.terminate();
  const answered = async () => {
    try {
      return await status();
    } catch {
      // While no thread listens connections are refused.
      return 0;
    }
  };
  await expect.poll(answered, patient).toBe(200);
  const again = await Promise.all([connectTo(port), connectTo(port)]);
  for (const client of again) client.write(head);
  await expect.poll(waiting, patient).toBe(4);
  expect(await status()).toBe(429);
  for (const client of [...held, ...again]) client.socket.destroy();
});

it('what it held and had given back is given back once', () => {
  const memory = createCounterMemory();
  const [one, two] = [memory, counterMemoryOf(memory, 2)].map((own) =>
    createCounters(own, () => undefined),
  );
  const demand = (): CounterDemand => ({ ...template, algorithm: concurrency, limit: 3 });
  const take = (counters = one!) => {
    const wanted = demand();
    const allowed = counters.table.take([wanted], 1);
    return allowed ? counters.holdings.hold(wanted) : undefined;
  };
  const [first, second, third] = [take(), take(), take(two)];
  expect([first, second, third, take()]).toEqual([0, 1, 0, undefined]);
  one!.table.giveBack(demand(), 1);
  one!.holdings.release(first!);
  // The first thread ends with one held of the three; the other one goes on.
  releaseCounters(memory);
  expect([take(two), take(two), take(two)]).toEqual([1, 2, undefined]);
  releaseCounters(memory);
  expect(take(two)).toBeUndefined();
});

it('a lock of a thread that has ended is free again', () => {
  const memory = createCounterMemory();
  const table = new CounterTable(memory.table, () => undefined, 7);
  const wanted: CounterDemand = { ...template, algorithm: fixedWindow, limit: 1, window: 1000 };
  table.take([wanted], 1);
  // As one leaves it that is ended in the middle of a step.
  const words = new Int32Array(memory.table);
  const rowWords = words.length / 32_768;
  words[1 * rowWords] = 5;
  releaseCounters({ ...memory, owner: 5 });
  const begin = performance.now();
  expect(table.take([wanted], 2)).toBe(false);
  expect(performance.now() - begin).toBeLessThan(500);
});

const template = {
  limit: 1,
  window: 0,
  burst: 1,
  cost: 1,
  high: 1,
  low: 1,
  allowed: false,
  remaining: 0,
  resetAfter: 0,
  retryAfter: 0,
};
