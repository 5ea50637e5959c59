import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answering, type RawBackend, startBackend } from '../testing/backend.ts';
import { get } from '../testing/clients.ts';
import { type Peer, patient } from '../testing/peer.ts';
import { failing, fine, type RetryStage, setStage, usual } from './testing.ts';

let stage: RetryStage;
beforeEach(async () => {
  stage = await setStage();
});
afterEach(() => stage.close());

describe('hedging', () => {
  let slow: RawBackend;
  let held: Peer[];
  beforeEach(async () => {
    held = [];
    slow = await startBackend({ request: (_request, peer) => held.push(peer) });
  });
  afterEach(() => slow.close());
  const hedging = { ...usual, hedgeAfterMs: 30, budgetMinimum: 10 };

  it('takes the answer that is there first and gives the other one up', async () => {
    await stage.start(hedging, { ports: [slow.port, stage.backend.port] });
    while (held.length === 0) expect((await stage.ask()).body.toString()).toBe('ok');
    await held[0]?.close();
    expect(stage.metrics()).toContain('gateway_retries_total{service="up",reason="hedge"} 1');
  });

  it('goes on with the slow one when the second fails', async () => {
    stage.backend.script = answering(failing(503, 'Connection: close\r\n'));
    await stage.start({ ...hedging, attempts: 1 }, { ports: [slow.port, stage.backend.port] });
    const client = await stage.clients.connect();
    client.write(get);
    // The gateway has read the answer when it closes the connection.
    await (await stage.backend.connection(0)).close();
    expect(client.bytes).toHaveLength(0);
    held[0]?.write(fine);
    expect((await client.message()).body.toString()).toBe('ok');
  });

  it('is none for what may not be processed twice', async () => {
    stage.backend.script = { request: (_request, peer) => held.push(peer) };
    await stage.start(hedging, { ports: [slow.port, stage.backend.port] });
    const client = await stage.clients.connect();
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
    await expect.poll(() => held.length, patient).toBe(1);
    // A GET that comes later is hedged, so the time was long enough.
    const other = await stage.clients.connect();
    other.write(get);
    await expect.poll(() => held.length, patient).toBe(3);
    for (const peer of held) peer.write(fine);
    await client.message();
    await other.message();
  });
});
