import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RawBackend, startBackend } from '../testing/backend.ts';
import { connectTo } from '../testing/client.ts';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import { statusOf } from '../testing/message.ts';
import { forwardRule } from '../testing/snapshot.ts';

let near: RawBackend;
let far: RawBackend;
let gateway: TestGateway;
beforeEach(async () => {
  near = await startBackend();
  far = await startBackend();
  gateway = await startGateway({ zone: 'a', ...snapshot() });
});
afterEach(async () => {
  await gateway.close();
  await near.close();
  await far.close();
});

function snapshot() {
  const endpoints = [
    { port: near.port, hintedZones: ['a'] },
    { port: far.port, hintedZones: ['b'] },
  ];
  return { rules: [forwardRule('up')], upstreams: { up: { endpoints } } };
}

async function ask(times: number): Promise<number[]> {
  const client = await connectTo(gateway.port);
  const statuses: number[] = [];
  for (let i = 0; i < times; i++) {
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    statuses.push(statusOf(await client.message()));
  }
  client.end();
  return statuses;
}

describe('a data plane in a zone', () => {
  it('asks the endpoints hinted for it', async () => {
    expect(await ask(6)).toEqual(Array(6).fill(200));
    expect([near.requests.length, far.requests.length]).toEqual([6, 0]);
  });

  it('goes on with those of other zones when the last one of its own goes', async () => {
    const { rules, upstreams } = snapshot();
    await gateway.use({ rules, upstreams: { up: { endpoints: upstreams.up.endpoints.slice(1) } } });
    expect(await ask(3)).toEqual([200, 200, 200]);
    expect([near.requests.length, far.requests.length]).toEqual([0, 3]);
  });

  it('asks one of another zone when none of its own can be reached', async () => {
    // As many as there are attempts: whoever only turned to the next would give up.
    const dead = [1, 2, 3].map((port) => ({ port, hintedZones: ['a'] }));
    const endpoints = [...dead, { port: far.port, hintedZones: ['b'] }];
    await gateway.use({ rules: [forwardRule('up')], upstreams: { up: { endpoints } } });
    expect(await ask(6)).toEqual(Array(6).fill(200));
    expect(far.requests).toHaveLength(6);
  });
});
