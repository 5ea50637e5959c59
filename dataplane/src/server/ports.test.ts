import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCounterMemory } from '../filters/rate-limit/counters.ts';
import { createThreadState } from '../filters/thread-state.ts';
import { defaultLimits } from '../http1/limits.ts';
import { link } from '../link/link.ts';
import type { Runtime } from '../link/runtime.ts';
import { createTimerWheel } from '../state/timer-wheel.ts';
import { createRecorder } from '../telemetry/recorder.ts';
import { createRegion, createSeries } from '../telemetry/series.ts';
import { createCertificate } from '../testing/certificate.ts';
import { connectSecurely, connectTo } from '../testing/client.ts';
import { reservePort } from '../testing/gateway.ts';
import { statusOf } from '../testing/message.ts';
import { type Peer, patient } from '../testing/peer.ts';
import { lanesOf, type TestListener } from '../testing/snapshot.ts';
import { ownUpstreamTables } from '../upstreams/shared/upstream-memory.ts';
import { createPorts, type Ports } from './ports.ts';
import { TicketSeeds } from './tls/ticket-keys.ts';

const wheel = createTimerWheel();
let ports: Ports;
let port = 0;
let second = 0;

const series = createSeries(createRegion(), () => undefined);
const thread = createThreadState(wheel, series, {
  counters: createCounterMemory(),
  upstreams: { tables: ownUpstreamTables(), threads: 1, report: () => undefined },
  denied: () => expect.fail('there are no policies'),
  health: () => expect.fail('there are no policies'),
});

beforeEach(async () => {
  const recorder = createRecorder(series, (error) => expect.fail(String(error)));
  const limits = { ...defaultLimits, connections: 3 };
  ports = createPorts({ host: '127.0.0.1', limits, wheel, recorder, seeds: new TicketSeeds() });
  port = await freePort();
  second = await freePort();
});
afterEach(() => ports.drain(0));

async function freePort(): Promise<number> {
  const reserved = await reservePort();
  await reserved.release();
  return reserved.port;
}

/** Answers everything with 200 and this body. */
function runtimeOf(body: string, listeners: TestListener[] = [{}]): Runtime {
  const rules = [
    {
      name: 'r',
      action: { case: 'respond' as const, value: { status: 200, body: Buffer.from(body) } },
    },
  ];
  const secrets = { pair: certificate };
  const { config, endpoints } = lanesOf({ listeners, rules, secrets }, port);
  const linked = link(config, endpoints, undefined, thread);
  if ('refusals' in linked) throw new Error(JSON.stringify(linked.refusals));
  return linked.runtime;
}

const certificate = createCertificate('a.test');
const get = 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n';

async function ask(client: Peer): Promise<string> {
  client.write(get);
  const answer = await client.message();
  expect(statusOf(answer)).toBe(200);
  return answer.body.toString();
}

describe('ports', () => {
  it('hold connections until their runtime is in force', async () => {
    expect(await ports.open(runtimeOf('one'))).toEqual([]);
    const client = await connectTo(port);
    client.write(get);
    const gone = await connectTo(port);
    gone.write(get);
    gone.reset();
    // The reset arrives before the next connection does, in one of these turns.
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
    const other = await connectTo(port);
    expect(other.all + client.all).toBe('');
    ports.use(runtimeOf('one'));
    expect((await client.message()).body.toString()).toBe('one');
    expect(await ask(other)).toBe('one');
    client.end();
    other.end();
  });

  it('serve by the runtime in force, connections stay', async () => {
    await ports.open(runtimeOf('one'));
    ports.use(runtimeOf('one'));
    const client = await connectTo(port);
    expect(await ask(client)).toBe('one');
    expect(await ports.open(runtimeOf('two'))).toEqual([]);
    expect(await ask(client)).toBe('one');
    ports.use(runtimeOf('two'));
    expect(await ask(client)).toBe('two');
    client.end();
  });

  it('that are taken are reported; what was served goes on', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(second, '127.0.0.1', resolve));
    await ports.open(runtimeOf('one'));
    ports.use(runtimeOf('one'));
    const problems = await ports.open(runtimeOf('two', [{}, { port: second }]));
    expect(problems).toEqual([
      { port: second, reason: `Cannot listen on 127.0.0.1:${second}: the port is in use` },
    ]);
    ports.discard();
    const client = await connectTo(port);
    expect(await ask(client)).toBe('one');
    client.end();
    await new Promise<void>((resolve) => taken.close(() => resolve()));
  });

  it('that change their protocol serve by the old one until the new runtime is in force', async () => {
    const secure = runtimeOf('tls', [{ certificates: ['pair'] }]);
    await ports.open(runtimeOf('plain'));
    ports.use(runtimeOf('plain'));
    expect(await ports.open(secure)).toEqual([]);
    ports.discard();
    for (let i = 0; i < 3; i++) {
      const client = await connectTo(port);
      expect(await ask(client)).toBe('plain');
      client.end();
      await client.close();
    }
    expect(await ports.open(secure)).toEqual([]);
    ports.use(secure);
    const client = await connectSecurely(port);
    expect(await ask(client)).toBe('tls');
    client.socket.destroy();
  });

  it('that are not named any more close; what runs on them ends first', async () => {
    const both = runtimeOf('both', [{}, { port: second }]);
    await ports.open(both);
    ports.use(both);
    const idle = await connectTo(second);
    expect(await ask(idle)).toBe('both');
    const busy = await connectTo(second);
    await busy.writePieces(['GET / HTTP/1.1\r\nHo']);
    const staying = await connectTo(port);
    await expect.poll(() => ask(staying), patient).toBe('both');
    const one = runtimeOf('one');
    await ports.open(one);
    ports.use(one);
    expect(await idle.close()).toBe('end');
    idle.end();
    busy.write('st: a.test\r\n\r\n');
    const last = await busy.message();
    expect(last.head).toContain('connection: close\r\n');
    busy.end();
    await expect(connectTo(second)).rejects.toThrow('ECONNREFUSED');
    expect(await ask(staying)).toBe('one');
    staying.end();
  });

  it('share the limit of connections', async () => {
    const both = runtimeOf('both', [{}, { port: second }]);
    await ports.open(both);
    ports.use(both);
    const clients = [await connectTo(port), await connectTo(second), await connectTo(second)];
    for (const client of clients) expect(await ask(client)).toBe('both');
    const fourth = await connectTo(port);
    expect(await fourth.close()).toMatch(/end|ECONNRESET/);
    for (const client of clients) client.end();
  });

  it('drain: what runs gets its time, then everything is gone', async () => {
    await ports.open(runtimeOf('one'));
    ports.use(runtimeOf('one'));
    const idle = await connectTo(port);
    expect(await ask(idle)).toBe('one');
    const busy = await connectTo(port);
    await busy.writePieces(['GET / HTTP/1.1\r\n']);
    expect(await ask(idle)).toBe('one');
    const drained = ports.drain(5000);
    expect(await idle.close()).toBe('end');
    idle.end();
    busy.write('Host: a.test\r\n\r\n');
    expect((await busy.message()).head).toContain('connection: close\r\n');
    expect(await busy.close()).toBe('end');
    busy.end();
    await drained;
    await expect(connectTo(port)).rejects.toThrow('ECONNREFUSED');
  });

  it('drain: what does not end in time is cut', async () => {
    await ports.open(runtimeOf('one'));
    ports.use(runtimeOf('one'));
    const busy = await connectTo(port);
    await busy.writePieces(['GET / HTTP/1.1\r\n']);
    const other = await connectTo(port);
    expect(await ask(other)).toBe('one');
    await ports.drain(50);
    expect(await busy.close()).toMatch(/end|ECONNRESET/);
    other.end();
  });
});
