import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { Kind, Lane } from '@gatehouse/snapshot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultLimits } from '../http1/limits.ts';
import { prometheusText } from '../telemetry/prometheus.ts';
import { connectTo } from '../testing/client.ts';
import { reservePort } from '../testing/gateway.ts';
import { connectHttp2 } from '../testing/http2-client.ts';
import { statusOf } from '../testing/message.ts';
import { patient } from '../testing/peer.ts';
import { lanesOf, type TestListener, type TestPolicy } from '../testing/snapshot.ts';
import { startWorkers, type WorkerFleet } from './fleet.ts';

let fleet: WorkerFleet;
let port = 0;
const threads: Worker[] = [];
const remember = (thread: Worker) => threads.push(thread);
const lines: string[] = [];
const log = {
  info: (_: unknown, text?: string) => lines.push(String(text)),
  warn: (_: unknown, text?: string) => lines.push(String(text)),
  error: () => undefined,
};

async function start(count: number, accessLog?: string) {
  fleet = startWorkers({
    count,
    host: '127.0.0.1',
    zone: '',
    limits: defaultLimits,
    logLevel: 'warn',
    accessLog,
    log,
  });
  expect(await apply('one')).toEqual([]);
}

beforeEach(async () => {
  threads.length = 0;
  lines.length = 0;
  process.on('worker', remember);
  const reserved = await reservePort();
  port = reserved.port;
  await reserved.release();
});
afterEach(async () => {
  process.off('worker', remember);
  await fleet.close(0);
});

/** Makes the fleet answer everything with this body. */
async function apply(body: string, listeners?: TestListener[], policies: TestPolicy[] = []) {
  const value = { status: 200, body: Buffer.from(body) };
  const { config, endpoints } = lanesOf(
    {
      rules: [{ name: 'r', action: { case: 'respond', value } }],
      policies,
      ...(listeners ? { listeners } : {}),
    },
    port,
  );
  await fleet.apply(Lane.ENDPOINTS, endpoints);
  return fleet.apply(Lane.CONFIG, config);
}

/** Answers on as many new connections. */
async function ask(connections: number): Promise<string[]> {
  return Promise.all(
    Array.from({ length: connections }, async () => {
      const client = await connectTo(port);
      client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      const answer = await client.message();
      expect(statusOf(answer)).toBe(200);
      await client.close();
      client.end();
      return answer.body.toString();
    }),
  );
}

async function closedPort(): Promise<number> {
  const { port, release } = await reservePort();
  await release();
  return port;
}

/** Requests counted by all threads, those that are gone included. */
function counted(): number {
  const text = prometheusText(fleet.regions, []);
  return Number(/^gateway_requests_total\{.*\} (\d+)$/m.exec(text)?.[1] ?? 0);
}

/** How many threads have counted requests. */
function busyThreads(): number {
  return fleet.regions.filter(({ values, names }) =>
    names.some(
      ({ family, slot }) => family === 'gateway_requests_total' && (values[slot] ?? 0) > 0,
    ),
  ).length;
}

describe('a fleet of worker threads', () => {
  it('shares one port; the counters add up', async () => {
    await start(2);
    expect(threads).toHaveLength(2);
    await ask(60);
    await expect.poll(counted, patient).toBe(60);
    expect(busyThreads()).toBe(2);
  });

  it('of one thread serves without another isolate', async () => {
    await start(1);
    expect(threads).toHaveLength(0);
    expect(await ask(5)).toEqual(Array(5).fill('one'));
    await expect.poll(counted, patient).toBe(5);
  });

  it('replaces a thread that dies; what it has counted stays', async () => {
    await start(2);
    await ask(40);
    await expect.poll(counted, patient).toBe(40);
    await threads[0]!.terminate();
    await expect.poll(() => threads.length, patient).toBe(3);
    await ask(40);
    await expect.poll(counted, patient).toBe(80);
    // The new one takes its share once it has caught up.
    await expect
      .poll(async () => {
        await ask(20);
        return busyThreads();
      }, patient)
      .toBe(3);
    expect(await apply('two')).toEqual([]);
    expect(new Set(await ask(40))).toEqual(new Set(['two']));
  });

  it.each([1, 2])('of %i logs once what stops working, and once that it is over', async (count) => {
    await start(count);
    const redis = { addresses: [`127.0.0.1:${await closedPort()}`], withoutPassword: true };
    const target = 'Gateway/default/test';
    const counting = { block: 'counting', name: 'default/test', target };
    const policy = {
      kind: 'RateLimitPolicy',
      rules: [{ ...counting, config: { store: 'Redis', redis } }],
    };
    // In two scopes, so that both tell the same.
    const narrow = { ...policy, scope: 'default/test/0/default/test' };
    expect(await apply('two', undefined, [policy, narrow])).toEqual([]);
    const told = () => lines.filter((line) => line.includes('Cannot count in Redis'));
    await expect.poll(told, patient).toHaveLength(1);
    await apply('three');
    await expect.poll(told, patient).toHaveLength(2);
    expect(told()[1]).toBe(`Over: ${told()[0]}`);
  });

  it.each([1, 2])('of %i writes a line a request, whole ones', async (count) => {
    const folder = await mkdtemp(join(tmpdir(), 'access-'));
    const file = join(folder, 'access.log');
    await start(count, file);
    await ask(29);
    const client = await connectHttp2(port);
    await client.ask();
    client.close();
    const read = async () => (await readFile(file, 'utf8')).split('\n').slice(0, -1);
    await expect.poll(async () => (await read()).length, patient).toBe(30);
    const lines: { protocol: string }[] = (await read()).map((line) => JSON.parse(line));
    expect(lines.filter(({ protocol }) => protocol === 'HTTP/2')).toHaveLength(1);
    for (const line of lines) {
      expect(line).toEqual({
        time: expect.any(Number),
        method: 'GET',
        host: 'a',
        path: '/',
        protocol: expect.stringMatching(/^HTTP\/(?:1\.1|2)$/),
        status: 200,
        duration_ms: expect.any(Number),
        bytes_sent: expect.any(Number),
        client: '127.0.0.1',
        request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        route: 'default/test',
        rule: 'r',
      });
    }
    await rm(folder, { recursive: true });
  });

  it.each([1, 2])('of %i refuses a listener that cannot be opened and serves on', async (count) => {
    await start(count);
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const second = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const refusals = await apply('two', [{ name: 'first' }, { name: 'second', port: second }]);
    expect(refusals).toEqual([
      {
        kind: Kind.LISTENER,
        name: 'second',
        path: 'port',
        reason: `Cannot listen on 127.0.0.1:${second}: the port is in use`,
      },
    ]);
    expect(new Set(await ask(20))).toEqual(new Set(['one']));
    await new Promise<void>((resolve) => taken.close(() => resolve()));
    expect(await apply('three', [{ name: 'first' }, { name: 'second', port: second }])).toEqual([]);
    expect(new Set(await ask(20))).toEqual(new Set(['three']));
  });
});
