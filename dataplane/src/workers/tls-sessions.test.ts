import type { Worker } from 'node:worker_threads';
import { Lane } from '@gatehouse/snapshot';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { defaultLimits } from '../http1/limits.ts';
import { createCertificate } from '../testing/certificate.ts';
import { reservePort } from '../testing/gateway.ts';
import { patient } from '../testing/peer.ts';
import { lanesOf } from '../testing/snapshot.ts';
import { visit } from '../testing/tls-sessions.ts';
import { startWorkers, type WorkerFleet } from './fleet.ts';

const options = { servername: 'a.test', maxVersion: 'TLSv1.2' as const };
const threads: Worker[] = [];
const remember = (thread: Worker) => threads.push(thread);
const lines: string[] = [];
const tell = (_: unknown, text?: string) => lines.push(String(text));

let fleet: WorkerFleet;
let port = 0;
beforeEach(async () => {
  process.on('worker', remember);
  const reserved = await reservePort();
  port = reserved.port;
  await reserved.release();
  fleet = startWorkers({
    count: 2,
    host: '127.0.0.1',
    zone: '',
    limits: defaultLimits,
    logLevel: 'silent',
    accessLog: undefined,
    log: { info: (text: unknown) => lines.push(String(text)), warn: tell, error: tell },
  });
  const value = { status: 200, body: Buffer.from('fine') };
  const { config, endpoints } = lanesOf(
    {
      listeners: [{ certificates: ['a'] }],
      rules: [{ name: 'r', action: { case: 'respond', value } }],
      secrets: { a: createCertificate('a.test') },
    },
    port,
  );
  await fleet.apply(Lane.ENDPOINTS, endpoints);
  expect(await fleet.apply(Lane.CONFIG, config)).toEqual([]);
});
afterEach(async () => {
  process.off('worker', remember);
  await fleet.close(0);
});

/** Sessions that each thread, gone ones too, has resumed. */
function resumedBy(): number[] {
  return fleet.regions.map(({ names, values }) =>
    names
      .filter(({ labels }) => labels === 'version="TLSv1.2",resumed="true"')
      .reduce((sum, { slot }) => sum + (values[slot] ?? 0), 0),
  );
}

it('a session is resumed by every thread, and by one that replaces another', async () => {
  const { session } = await visit(port, options);
  const again = async () => (await visit(port, { ...options, session })).resumed;
  const threadsThatResumed = async () => {
    expect(await again()).toBe(true);
    return resumedBy().filter((count) => count > 0).length;
  };
  await expect.poll(threadsThatResumed, { ...patient, interval: 1 }).toBe(2);
  await threads[0]!.terminate();
  await expect.poll(() => lines, patient).toContain('A worker thread was replaced');
  await expect.poll(threadsThatResumed, { ...patient, interval: 1 }).toBe(3);
});
