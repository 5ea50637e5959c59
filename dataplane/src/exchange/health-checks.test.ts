import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answering, type RawBackend, refusedPort, startBackend } from '../testing/backend.ts';
import { connectTo } from '../testing/client.ts';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import { type Message, statusOf, valuesOf } from '../testing/message.ts';
import { patient } from '../testing/peer.ts';
import { forwardRule, type UpstreamFields } from '../testing/snapshot.ts';

type Check = NonNullable<UpstreamFields['healthCheck']>;

const http = (more: object = {}) => ({
  case: 'http' as const,
  value: { path: '/health', ...more },
});
const tcp = { case: 'tcp' as const, value: {} };
const quick = { intervalMs: 20, timeoutMs: 200, unhealthyThreshold: 1, healthyThreshold: 1 };

let one: RawBackend;
let two: RawBackend;
let gateway: TestGateway;

const answer = (health: number, name: string): RawBackend['script'] => ({
  request: ({ startLine }, peer) => {
    const status = startLine.startsWith('GET /health') ? health : 200;
    peer.write(`HTTP/1.1 ${status} x\r\nContent-Length: ${name.length}\r\n\r\n${name}`);
  },
});

beforeEach(async () => {
  one = await startBackend(answer(200, 'one'));
  two = await startBackend(answer(200, 'two'));
});
afterEach(async () => {
  await gateway.close();
  await one.close();
  await two.close();
});

function snapshot(healthCheck: Check | undefined, ports = [one.port, two.port]) {
  const more = healthCheck ? { healthCheck: { ...quick, ...healthCheck } } : {};
  const up = { endpoints: ports.map((port) => ({ port })), more };
  return { rules: [forwardRule('up')], upstreams: { up } };
}

async function start(...settings: Parameters<typeof snapshot>) {
  gateway = await startGateway(snapshot(...settings));
}

async function ask(): Promise<Message> {
  const client = await connectTo(gateway.port);
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const message = await client.message();
  client.end();
  expect(statusOf(message)).toBe(200);
  return message;
}

async function served(count: number): Promise<Set<string>> {
  const found = new Set<string>();
  for (let i = 0; i < count; i++) found.add((await ask()).body.toString());
  return found;
}

const viewOf = (port: number) => gateway.oversight.endpoint('up', `127.0.0.1 ${port}`);
const until = (port: number, state: string) =>
  expect.poll(() => viewOf(port)?.state, patient).toBe(state);

describe('active checks', () => {
  it('take an endpoint out that says it is not well, and put it back', async () => {
    await start({ probe: http() });
    two.script = answer(503, 'two');
    await until(two.port, 'unhealthy');
    expect(await served(6)).toEqual(new Set(['one']));
    expect(viewOf(two.port)).toEqual({
      state: 'unhealthy',
      check: { healthy: false, checkedBeforeSeconds: expect.any(Number), failure: 'status 503' },
    });
    two.script = answer(200, 'two');
    await until(two.port, 'in service');
    expect(await served(6)).toEqual(new Set(['one', 'two']));
    expect(gateway.events).toEqual([
      expect.objectContaining({
        service: 'up',
        endpoint: `127.0.0.1 ${two.port}`,
        bad: true,
        reason: 'status 503',
        text: 'An endpoint is not healthy',
      }),
      expect.objectContaining({ bad: false, text: 'An endpoint is healthy again' }),
    ]);
    const metrics = gateway.metrics();
    expect(metrics).toMatch(/gateway_health_checks_total\{service="up",result="ok"\} [1-9]/);
    expect(metrics).toMatch(/gateway_health_checks_total\{service="up",result="failed"\} [1-9]/);
  });

  it('ask by GET with path and host, each time on a connection of its own', async () => {
    await start({ probe: http({ path: '/health?deep=1', host: 'shop.example' }) }, [one.port]);
    await expect.poll(() => one.requests.length, patient).toBeGreaterThan(1);
    const [request] = one.requests;
    expect(request?.startLine).toBe('GET /health?deep=1 HTTP/1.1');
    const field = (name: string) => valuesOf(request?.fields ?? [], name);
    expect(field('host')).toEqual(['shop.example']);
    expect(field('user-agent')).toEqual(['gatehouse-health-check']);
    expect(one.connections.length).toBeGreaterThan(1);
  });

  it.each<[string, Check, RawBackend['script'], boolean]>([
    ['a redirect is not well', { probe: http() }, answer(302, 'x'), false],
    ['unless it is wanted', { probe: http({ statuses: [204, 302] }) }, answer(302, 'x'), true],
    ['then nothing else is', { probe: http({ statuses: [204] }) }, answer(200, 'x'), false],
    ['silence', { probe: http(), timeoutMs: 50 }, {}, false],
    ['a reset', { probe: http() }, { request: (_request, peer) => peer.reset() }, false],
    ['nonsense', { probe: http() }, answering('hello\r\n\r\n'), false],
    ['silence, but a connection', { probe: tcp }, {}, true],
  ])('%s', async (_, check, script, well) => {
    two.script = script;
    await start(check);
    await expect.poll(() => viewOf(two.port)?.check?.healthy, patient).toBe(well);
    expect(viewOf(two.port)?.state).toBe(well ? 'in service' : 'unhealthy');
  });

  it.each<[string, Check]>([
    ['by HTTP', { probe: http() }],
    ['by TCP', { probe: tcp }],
  ])('%s find who cannot be reached', async (_, check) => {
    const dead = await refusedPort();
    await start(check, [one.port, dead]);
    await until(dead, 'unhealthy');
    expect(viewOf(dead)?.check?.failure).toContain('ECONNREFUSED');
  });

  it('can ask another port', async () => {
    two.script = answer(503, 'two');
    await start({ probe: http(), port: two.port }, [one.port]);
    await until(one.port, 'unhealthy');
    expect(two.requests.length).toBeGreaterThan(0);
    expect(one.requests.length).toBe(0);
  });

  it('need as many results one after the other as the thresholds say', async () => {
    const results: boolean[] = [];
    // Once well, then two failures, well, three failures, well, well.
    const script = [true, false, false, true, false, false, false, true, true];
    two.script = {
      request: (_request, peer) => {
        const well = script[results.length] ?? true;
        results.push(well);
        peer.write(`HTTP/1.1 ${well ? 200 : 500} x\r\nContent-Length: 0\r\n\r\n`);
      },
    };
    await start({ probe: http(), unhealthyThreshold: 3, healthyThreshold: 2 }, [two.port]);
    await expect.poll(() => gateway.events.length, patient).toBe(2);
    expect(gateway.events.map(({ bad }) => bad)).toEqual([true, false]);
    expect(results.slice(0, 9)).toEqual(script);
  });

  it('of an endpoint that is new: the first one decides', async () => {
    two.script = answer(503, 'two');
    await start({ probe: http(), unhealthyThreshold: 100 }, [one.port, two.port]);
    await until(two.port, 'unhealthy');
  });

  it('stop with their endpoint, their upstream and their block', async () => {
    await start({ probe: http() });
    await expect.poll(() => two.requests.length, patient).toBeGreaterThan(0);
    await gateway.use(snapshot({ probe: http() }, [one.port]));
    const stopped = async (backend: RawBackend, others: RawBackend) => {
      // What was under way may still arrive; then nothing more while the other one is asked on.
      await expect
        .poll(async () => {
          const [mine, theirs] = [backend.requests.length, others.requests.length];
          await expect.poll(() => others.requests.length, patient).toBeGreaterThan(theirs + 3);
          return backend.requests.length - mine;
        }, patient)
        .toBe(0);
    };
    await stopped(two, one);
    one.script = answer(503, 'one');
    await until(one.port, 'unhealthy');
    await gateway.use(snapshot(undefined));
    expect(viewOf(one.port)).toBeUndefined();
    expect(await served(6)).toEqual(new Set(['one', 'two']));
  });

  it('go on from what was found when their settings change', async () => {
    two.script = answer(503, 'two');
    await start({ probe: http() });
    await until(two.port, 'unhealthy');
    await gateway.use(snapshot({ probe: http(), healthyThreshold: 2 }));
    expect(viewOf(two.port)?.state).toBe('unhealthy');
    expect(await served(4)).toEqual(new Set(['one']));
    two.script = answer(200, 'two');
    await until(two.port, 'in service');
  });

  it('that this release does not know are refused', async () => {
    await start(undefined);
    await expect(gateway.use(snapshot({ ...quick }))).rejects.toThrow('healthCheck');
  });
});
