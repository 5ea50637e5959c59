import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answering, type RawBackend, refusedPort, startBackend } from '../testing/backend.ts';
import { connectTo } from '../testing/client.ts';
import { type GatewayOptions, startGateway, type TestGateway } from '../testing/gateway.ts';
import { type Message, statusOf, valuesOf } from '../testing/message.ts';
import { type Peer, patient } from '../testing/peer.ts';
import { forwardRule, type TestRule, type TestUpstream } from '../testing/snapshot.ts';

const fine = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const broken = 'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 3\r\n\r\nbad';
/** So long that no test waits for it. */
const long = 60_000;

let backend: RawBackend;
let spare: RawBackend;
let gateway: TestGateway;
const clients: Peer[] = [];

beforeEach(async () => {
  backend = await startBackend(answering(broken));
  spare = await startBackend(answering('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nspare'));
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy();
  await gateway.close();
  await backend.close();
  await spare.close();
});

type Breaker = NonNullable<NonNullable<TestUpstream['more']>['circuitBreaker']>;

function snapshot(breaker: Breaker, rule: TestRule = {}, endpoints = [{ port: backend.port }]) {
  const circuitBreaker = { failureThreshold: 2, timeoutMs: long, halfOpenRequests: 1, ...breaker };
  return {
    rules: [forwardRule('up', rule)],
    upstreams: {
      up: { endpoints, more: { circuitBreaker } },
      spare: { endpoints: [{ port: spare.port }] },
    },
  } satisfies GatewayOptions;
}

async function start(...settings: Parameters<typeof snapshot>) {
  gateway = await startGateway(snapshot(...settings));
}

async function connect(): Promise<Peer> {
  const client = await connectTo(gateway.port);
  clients.push(client);
  return client;
}

async function ask(request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'): Promise<Message> {
  const client = await connect();
  client.write(request);
  const answer = await client.message();
  client.end();
  return answer;
}

async function statuses(count: number): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < count; i++) found.push(statusOf(await ask()));
  return found;
}

describe('a circuit breaker', () => {
  it('opens, and answers 503 without asking', async () => {
    await start({});
    expect(await statuses(2)).toEqual([500, 500]);
    const refusal = await ask();
    expect(refusal.startLine).toBe('HTTP/1.1 503 Service Unavailable');
    expect(refusal.body.toString()).toBe('{"error":"Circuit breaker open"}');
    expect(valuesOf(refusal.fields, 'content-type')).toEqual(['application/json']);
    expect(backend.requests).toHaveLength(2);
    const metrics = gateway.metrics();
    expect(metrics).toContain(
      'gateway_circuit_breaker_transitions_total{service="up",to="open"} 1',
    );
    expect(metrics).toContain(
      'gateway_upstream_refused_total{service="up",reason="circuit open"} 1',
    );
    expect(gateway.events).toEqual([
      { service: 'up', upstream: 'up', bad: true, text: 'A circuit breaker opens' },
    ]);
  });

  it.each<[string, RawBackend['script']]>([
    ['resets', { request: (_request, peer) => peer.reset() }],
    ['closes', { request: (_request, peer) => peer.end() }],
    ['talks nonsense', answering('SMTP 220 hello\r\n\r\n')],
    ['breaks off', answering('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')],
    ['is silent', {}],
  ])('counts a backend that %s', async (_, script) => {
    backend.script = {
      ...script,
      request: (request, peer) => {
        script.request?.(request, peer);
        if (script.request && !peer.closed) peer.end();
      },
    };
    if (!script.request) backend.script = script;
    await start({}, { timeouts: { backendRequest: 60 } });
    for (let i = 0; i < 2; i++) {
      const client = await connect();
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.until('an answer or the end', ({ bytes, closed }) => bytes.length > 0 || closed);
      client.socket.destroy();
    }
    await expect.poll(async () => (await ask()).body.toString(), patient).toContain('Circuit');
  });

  it('counts a backend that cannot be reached', async () => {
    await start({}, {}, [{ port: await refusedPort() }]);
    expect(await statuses(3)).toEqual([502, 502, 503]);
  });

  it('counts nothing when a client goes or sends no body in time', async () => {
    backend.script = {};
    await start({ failureThreshold: 1 }, { timeouts: { idle: 60 } });
    const gone = await connect();
    gone.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await expect.poll(() => backend.requests.length, patient).toBe(1);
    gone.socket.destroy();
    const slow = await ask('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc');
    expect(statusOf(slow)).toBe(408);
    backend.script = answering(fine);
    expect(await statuses(2)).toEqual([200, 200]);
  });

  it('lets just so many probes through at one time, and closes when they succeed', async () => {
    await start({ timeoutMs: 50, halfOpenRequests: 3 });
    await statuses(2);
    const held: Peer[] = [];
    backend.reset();
    backend.script = { request: (_request, peer) => held.push(peer) };
    const waiting: Peer[] = [];
    const askMany = async () => {
      const more = await Promise.all(Array.from({ length: 30 }, connect));
      for (const client of more) client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      waiting.push(...more);
      const answered = () => waiting.filter(({ bytes }) => bytes.length > 0);
      await expect.poll(() => answered().length + held.length, patient).toBe(waiting.length);
      for (const { bytes } of answered()) expect(bytes.toString()).toMatch(/^HTTP\/1.1 503/);
    };
    // Until the time is over all are refused.
    while (held.length === 0) await askMany();
    await askMany();
    expect(held).toHaveLength(3);
    for (const peer of held) peer.write(fine);
    backend.script = answering(fine);
    await expect.poll(async () => statusOf(await ask()), patient).toBe(200);
    expect(await statuses(3)).toEqual([200, 200, 200]);
    expect(gateway.events.map(({ text }) => text)).toEqual([
      'A circuit breaker opens',
      'A circuit breaker lets probes through',
      'A circuit breaker closes',
    ]);
  });

  it('decides on a probe by its head: a response that streams holds up nobody', async () => {
    await start({ timeoutMs: 30 });
    await statuses(2);
    backend.script = answering('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
    await expect
      .poll(async () => {
        const client = await connect();
        client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
        return (await client.head()).slice(9, 12);
      }, patient)
      .toBe('200');
    backend.script = answering(fine);
    expect(await statuses(3)).toEqual([200, 200, 200]);
  });

  it('keeps its state and takes on other settings in a swap', async () => {
    await start({});
    await statuses(2);
    await gateway.use(snapshot({ failureThreshold: 9 }));
    expect(await statuses(1)).toEqual([503]);
    const { up, ...others } = snapshot({}).upstreams;
    await gateway.use({
      rules: [forwardRule('up')],
      upstreams: { ...others, up: { endpoints: up.endpoints } },
    });
    expect(await statuses(3)).toEqual([500, 500, 500]);
    await gateway.use(snapshot({}));
    expect(await statuses(3)).toEqual([500, 500, 503]);
  });
});

describe('a limit of requests', () => {
  it('refuses what is beyond, until others have ended', async () => {
    const held: Peer[] = [];
    backend.script = { request: (_request, peer) => held.push(peer) };
    await start({ limits: { maxRequests: 2 } });
    const waiting = [await connect(), await connect()];
    for (const client of waiting) client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await expect.poll(() => held.length, patient).toBe(2);
    expect((await ask()).body.toString()).toBe('{"error":"Service overloaded"}');
    held[0]!.write(fine);
    await waiting[0]!.message();
    waiting[1]!.socket.destroy();
    backend.script = answering(fine);
    await expect.poll(async () => statusOf(await ask()), patient).toBe(200);
    expect(await statuses(4)).toEqual([200, 200, 200, 200]);
  });
});

describe('a fallback', () => {
  const respond = {
    instead: {
      case: 'respond' as const,
      value: {
        status: 200,
        body: Buffer.from('[]'),
        headers: [{ name: 'x-fallback', value: 'yes' }],
      },
    },
  };
  const toSpare = {
    instead: { case: 'backend' as const, value: { upstream: 'spare', weight: 1 } },
  };

  it('of a static body answers while the breaker is open', async () => {
    await start({}, { fallback: respond });
    expect(await statuses(2)).toEqual([500, 500]);
    const answer = await ask();
    expect([statusOf(answer), answer.body.toString()]).toEqual([200, '[]']);
    expect(valuesOf(answer.fields, 'x-fallback')).toEqual(['yes']);
    expect(gateway.metrics()).toContain('gateway_fallbacks_total{service="up"} 1');
  });

  it('of another backend gets the request, its body too', async () => {
    await start({}, { fallback: toSpare });
    await statuses(2);
    const client = await connect();
    client.write('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc');
    await spare.connection(0);
    client.write('def');
    expect((await client.message()).body.toString()).toBe('spare');
    expect(spare.requests[0]).toMatchObject({ startLine: 'POST /a HTTP/1.1' });
    expect(spare.requests[0]?.body.toString()).toBe('abcdef');
    expect(gateway.metrics()).toMatch(/gateway_request_duration_count\{.*service="spare"\} 1/);
  });

  it.each([
    ['no endpoint is left', {}, []],
    ['it is at its limit', { limits: { maxRequests: 1 } }, undefined],
  ])('answers when %s', async (_, breaker, endpoints) => {
    await start(breaker, { fallback: toSpare }, endpoints);
    backend.script = {};
    const client = await connect();
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    if (endpoints === undefined) await expect.poll(() => backend.requests.length, patient).toBe(1);
    expect((await ask()).body.toString()).toBe('spare');
  });

  it('is none for failures of requests that were sent', async () => {
    await start({ failureThreshold: 9 }, { fallback: respond });
    expect(await statuses(3)).toEqual([500, 500, 500]);
  });

  it('that cannot be asked itself gives 503', async () => {
    const { rules, upstreams } = snapshot({}, { fallback: toSpare }, []);
    gateway = await startGateway({
      rules,
      upstreams: { ...upstreams, spare: { endpoints: [] } },
    });
    expect((await ask()).body.toString()).toBe('{"error":"Service unavailable"}');
  });
});
