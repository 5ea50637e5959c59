import { afterEach, beforeEach, expect, it } from 'vitest';
import { type RawBackend, startBackend } from '../testing/backend.ts';
import { startFleet, type TestFleet } from '../testing/fleet.ts';
import { statusOf } from '../testing/message.ts';
import { type Peer, patient } from '../testing/peer.ts';
import { forwardRule, prefixMatch } from '../testing/snapshot.ts';

let backend: RawBackend;
let fleet: TestFleet;
const held: Peer[] = [];

beforeEach(async () => {
  held.length = 0;
  backend = await startBackend({ request: (_request, peer) => held.push(peer) });
  fleet = await startFleet();
});
afterEach(async () => {
  await fleet.close();
  await backend.close();
});

it('threads share the connections of an endpoint: together they open no more', async () => {
  const more = { maxConnections: 4, queueTimeoutMs: 60_000 };
  const up = { endpoints: [{ port: backend.port }], more };
  await fleet.use({ rules: [forwardRule('up')], upstreams: { up } });
  const clients = await fleet.send(40);
  await expect.poll(() => held.length, patient).toBe(4);
  let served = 0;
  while (served < 40) {
    await expect.poll(() => held.length, patient).toBeGreaterThan(0);
    expect(held.length).toBeLessThanOrEqual(4);
    for (const peer of held.splice(0)) {
      served++;
      peer.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    }
  }
  for (const client of clients) expect(statusOf(await client.message())).toBe(200);
  expect(backend.connections).toHaveLength(4);
});

it('waiting requests are counted over all threads, and given back by those that die', async () => {
  const limits = { maxPending: 10 };
  const circuitBreaker = { timeoutMs: 1000, halfOpenRequests: 1, limits };
  const more = { maxConnections: 2, queueTimeoutMs: 60_000, circuitBreaker };
  const up = { endpoints: [{ port: backend.port }], more };
  const respond = { case: 'respond' as const, value: { status: 200 } };
  const ready = { name: 'ready', matches: [prefixMatch('/ready')], action: respond };
  await fleet.use({ rules: [forwardRule('up'), ready], upstreams: { up } });
  const waiting = async () => {
    const clients = await fleet.send(40);
    const refused = () => clients.filter(({ bytes }) => bytes.length > 0).length;
    // One or two are sent, ten wait, the others are refused.
    await expect.poll(refused, patient).toBeGreaterThanOrEqual(28);
    expect(refused()).toBeLessThan(30);
  };
  await waiting();
  await fleet.replaceThreads('/ready');
  await waiting();
});
