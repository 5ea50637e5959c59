import { afterEach, beforeEach, expect, it } from 'vitest';
import { answering, type RawBackend, startBackend } from '../testing/backend.ts';
import { startFleet, type TestFleet } from '../testing/fleet.ts';
import { type Peer, patient } from '../testing/peer.ts';
import { forwardRule } from '../testing/snapshot.ts';

const fine = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const broken = 'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 3\r\n\r\nbad';

let backend: RawBackend;
let fleet: TestFleet;

beforeEach(async () => {
  backend = await startBackend(answering(broken));
  fleet = await startFleet();
});
afterEach(async () => {
  await fleet.close();
  await backend.close();
});

function use(circuitBreaker: object) {
  const breaker = { failureThreshold: 10, timeoutMs: 60_000, halfOpenRequests: 3 };
  const more = { circuitBreaker: { ...breaker, ...circuitBreaker } };
  const up = { endpoints: [{ port: backend.port }], more };
  return fleet.use({ rules: [forwardRule('up')], upstreams: { up } });
}

const state = () => fleet.oversight.breakers()[0]?.state;

it('what one thread has seen holds for all, is shown, and can be reset', async () => {
  await use({});
  while (state() === 'closed') await fleet.statuses(4);
  expect(new Set(await fleet.statuses(40))).toEqual(new Set([503]));
  expect(fleet.oversight.breakers()).toEqual([
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
  expect(fleet.oversight.metrics().map(({ labels, value }) => [labels, value])).toEqual([
    ['service="up",upstream="up"', 1],
  ]);
  backend.script = answering(fine);
  expect(fleet.oversight.reset('nobody')).toBe(false);
  expect(fleet.oversight.reset('up')).toBe(true);
  expect(new Set(await fleet.statuses(40))).toEqual(new Set([200]));
});

it('half-open lets just so many probes through over all threads', async () => {
  await use({ timeoutMs: 300 });
  while (state() === 'closed') await fleet.statuses(4);
  const held: Peer[] = [];
  backend.script = { request: (_request, peer) => held.push(peer) };
  await expect.poll(state, patient).toBe('half-open');
  const waiting = [...(await fleet.send(40)), ...(await fleet.send(40))];
  const refusals = () => waiting.filter(({ bytes }) => bytes.length > 0).length;
  await expect.poll(() => refusals() + held.length, patient).toBe(80);
  expect(held).toHaveLength(3);
  for (const peer of held) peer.write(fine);
  backend.script = answering(fine);
  await expect.poll(state, patient).toBe('closed');
  expect(new Set(await fleet.statuses(20))).toEqual(new Set([200]));
});

it('survives every thread: it stays open, and probes of dead threads go to others', async () => {
  await use({ timeoutMs: 300 });
  while (state() === 'closed') await fleet.statuses(4);
  const held: Peer[] = [];
  backend.script = { request: (_request, peer) => held.push(peer) };
  await expect.poll(state, patient).toBe('half-open');
  await fleet.send(20);
  await expect.poll(() => held.length, patient).toBe(3);
  for (const thread of fleet.threads.slice(0, 2)) {
    const before = fleet.threads.length;
    await thread.terminate();
    await expect.poll(() => fleet.threads.length, patient).toBe(before + 1);
  }
  // Nothing was learned, so that it is as it was.
  expect(state()).toBe('half-open');
  const again: Peer[] = [];
  backend.script = { request: (_request, peer) => again.push(peer) };
  await expect
    .poll(async () => {
      const peers = await Promise.allSettled([fleet.send(5)]);
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
  const waiting = await fleet.send(40);
  const refusals = () => waiting.filter(({ bytes }) => bytes.length > 0).length;
  await expect.poll(() => refusals() + held.length, patient).toBe(40);
  expect(held).toHaveLength(5);
  expect(fleet.oversight.breakers()[0]).toMatchObject({ requests: 5, maxRequests: 5 });
  for (const thread of fleet.threads.slice(0, 2)) await thread.terminate();
  await expect.poll(() => fleet.oversight.breakers()[0]?.requests, patient).toBe(0);
});
