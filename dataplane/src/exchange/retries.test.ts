import { Retries_On } from '@gatehouse/snapshot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answering, type RawBackend, refusedPort, startBackend } from '../testing/backend.ts';
import { connectTo } from '../testing/client.ts';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import { type Message, statusOf, valuesOf } from '../testing/message.ts';
import { type Peer, patient } from '../testing/peer.ts';
import { forwardRule, type TestRule, type UpstreamFields } from '../testing/snapshot.ts';

type Retries = Extract<NonNullable<TestRule['retries']>, { $typeName?: never }>;

const { CONNECT_FAILURE, RESET, GATEWAY_ERROR, SERVER_ERROR } = Retries_On;
const fine = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const status = (code: number, fields = '') =>
  `HTTP/1.1 ${code} x\r\n${fields}Content-Length: 3\r\n\r\nbad`;
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

let backend: RawBackend;
let gateway: TestGateway;
const clients: Peer[] = [];

beforeEach(async () => {
  backend = await startBackend(answering(fine));
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy();
  await gateway.close();
  await backend.close();
});

type Options = {
  rule?: TestRule;
  ports?: number[];
  more?: UpstreamFields;
  trustedHops?: number;
};

async function start(
  retries: Retries,
  { rule = {}, ports = [backend.port], more, trustedHops = 0 }: Options = {},
) {
  const rest = { attempts: 2, backOffInitialMs: 5, backOffMaxMs: 10, budgetMinimum: 100 };
  gateway = await startGateway({
    listeners: [{ trustedHops }],
    rules: [forwardRule('up', { ...rule, retries: { ...rest, ...retries } })],
    upstreams: { up: { endpoints: ports.map((port) => ({ port })), more } },
  });
}

/** Answers requests one after the other by these; the last one for all that follow. */
function inTurn(...turns: (string | ((peer: Peer) => void))[]): RawBackend['script'] {
  let count = 0;
  return {
    request(_request, peer) {
      const turn = turns[Math.min(count++, turns.length - 1)];
      if (typeof turn === 'string') peer.write(turn);
      else turn?.(peer);
    },
  };
}

async function connect(): Promise<Peer> {
  const client = await connectTo(gateway.port);
  clients.push(client);
  return client;
}

async function ask(request = get): Promise<Message> {
  const client = await connect();
  client.write(request);
  return client.message(request.startsWith('HEAD') ? { noBody: true } : {});
}

const all = { on: [CONNECT_FAILURE, RESET, GATEWAY_ERROR] };
const anything = { on: [SERVER_ERROR] };
const silence = () => undefined;

describe('a request is sent again', () => {
  it.each<[string, string | ((peer: Peer) => void), Retries]>([
    ['after 502', status(502), { on: [GATEWAY_ERROR] }],
    ['after 503', status(503), { on: [GATEWAY_ERROR] }],
    ['after 504', status(504), { on: [GATEWAY_ERROR] }],
    ['after 500', status(500), anything],
    ['after 503 as any 5xx', status(503), anything],
    ['after a status of the list', status(429), { statuses: [425, 429] }],
    ['after a reset', (peer) => peer.reset(), { on: [RESET] }],
    ['after a close', (peer) => peer.end(), { on: [RESET] }],
    ['after nonsense', 'hello\r\n\r\n', { on: [RESET] }],
    ['after half a head', (peer) => peer.socket.end('HTTP/1.1 20'), { on: [RESET] }],
    ['after a reset as any 5xx', (peer) => peer.reset(), anything],
    ['after silence', silence, { on: [GATEWAY_ERROR], tryTimeoutMs: 60 }],
    ['after silence as any 5xx', silence, { ...anything, tryTimeoutMs: 60 }],
    [
      'after an answer that is long',
      `HTTP/1.1 503 x\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(100)}`,
      all,
    ],
  ])('%s', async (_, turn, retries) => {
    backend.script = inTurn(turn, fine);
    await start(retries);
    const answer = await ask();
    expect([statusOf(answer), answer.body.toString()]).toEqual([200, 'ok']);
    expect(backend.requests).toHaveLength(2);
    expect(backend.requests[1]?.head).toBe(backend.requests[0]?.head);
    expect(gateway.metrics()).toMatch(/gateway_retries_total\{service="up",reason="[a-z]+"\} 1/);
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])('%s', async (method) => {
    backend.script = inTurn(status(503).replace('bad', method === 'HEAD' ? '' : 'bad'), fine);
    if (method === 'HEAD') {
      const head = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n';
      backend.script = inTurn('HTTP/1.1 503 x\r\nContent-Length: 3\r\n\r\n', head);
    }
    await start(all);
    expect(statusOf(await ask(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`))).toBe(200);
    expect(backend.requests).toHaveLength(2);
  });

  it('to another endpoint, whatever comes next in the rotation', async () => {
    const bad = await startBackend(answering(status(503)));
    await start(all, { ports: [bad.port, backend.port] });
    for (let i = 0; i < 10; i++) expect(statusOf(await ask())).toBe(200);
    expect(bad.requests.length).toBeGreaterThan(0);
    await bad.close();
  });

  it('as often as the rule says; then the last answer is passed on', async () => {
    backend.script = inTurn(
      status(503, 'a: 1\r\n'),
      status(502, 'a: 2\r\n'),
      status(504, 'a: 3\r\n'),
    );
    await start(all);
    const answer = await ask();
    expect([statusOf(answer), valuesOf(answer.fields, 'a')]).toEqual([504, ['3']]);
    expect(backend.requests).toHaveLength(3);
  });

  it('over the connection that the answer came on, when it was complete', async () => {
    backend.script = inTurn(status(503), fine);
    await start(all);
    await ask();
    expect(backend.connections).toHaveLength(1);
  });

  it('when it cannot be sent at all, whatever its method', async () => {
    const dead = [await refusedPort(), await refusedPort(), await refusedPort()];
    await start({ on: [CONNECT_FAILURE], attempts: 1 }, { ports: [...dead, backend.port] });
    for (let i = 0; i < 8; i++) {
      const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc';
      expect(statusOf(await ask(post))).toBe(200);
    }
    expect(backend.requests.every(({ body }) => body.toString() === 'abc')).toBe(true);
  });

  it('in the order of pipelined requests', async () => {
    backend.script = inTurn(
      status(503),
      fine,
      'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond',
    );
    await start(all);
    const client = await connect();
    client.write(get + get);
    expect((await client.message()).body.toString()).toBe('ok');
    expect((await client.message()).body.toString()).toBe('second');
  });
});

describe('a request is not sent again', () => {
  it.each<[string, string | ((peer: Peer) => void), Retries, number]>([
    ['after 404', status(404), anything, 404],
    ['after 500, which is none of a gateway', status(500), all, 500],
    ['after 503 that is not asked for', status(503), { on: [RESET] }, 503],
    ['after a reset that is not asked for', (peer) => peer.reset(), { on: [GATEWAY_ERROR] }, 502],
    ['after silence that is not asked for', silence, { on: [RESET], tryTimeoutMs: 60 }, 504],
  ])('%s', async (_, turn, retries, expected) => {
    backend.script = inTurn(turn, fine);
    await start(retries);
    expect(statusOf(await ask())).toBe(expected);
    expect(backend.requests).toHaveLength(1);
  });

  it.each<[string, string | ((peer: Peer) => void), number]>([
    ['after 503', status(503), 503],
    ['after a reset', (peer) => peer.reset(), 502],
    ['after silence', silence, 504],
  ])('when it is a POST that may have been processed: %s', async (_, turn, expected) => {
    backend.script = inTurn(turn, fine);
    await start({ ...anything, statuses: [503], tryTimeoutMs: 60 });
    const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc';
    expect(statusOf(await ask(post))).toBe(expected);
    expect(backend.requests).toHaveLength(1);
  });

  it('once the response has begun: it is cut', async () => {
    backend.script = {
      async request(_request, peer) {
        peer.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab');
        await clients[0]?.text('ab');
        peer.reset();
      },
    };
    await start(anything);
    const client = await connect();
    client.write(get);
    expect(await client.close()).toBe('ECONNRESET');
    expect(backend.requests).toHaveLength(1);
  });

  it('when the client has gone meanwhile', async () => {
    backend.script = inTurn(status(503), fine);
    // The pause is drawn from nothing up to that: long enough for the client to go first.
    await start({ ...all, backOffInitialMs: 600_000, backOffMaxMs: 600_000 });
    const client = await connect();
    client.write(get);
    await expect.poll(() => gateway.metrics(), patient).toMatch(/gateway_retries_total\{.*\} 1/);
    client.socket.destroy();
    await expect.poll(() => gateway.metrics(), patient).toMatch(/status="499"/);
    expect(backend.requests).toHaveLength(1);
  });
});

describe('a body', () => {
  const put = (body: string) =>
    `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

  it.each<[string, string, string]>([
    ['with length', put('abcdef'), 'abcdef'],
    [
      'in chunks',
      'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n',
      'abcdef',
    ],
    ['of 60 KiB', put('x'.repeat(61_440)), 'x'.repeat(61_440)],
  ])('%s is sent again', async (_, request, body) => {
    backend.script = inTurn(status(503), fine);
    await start(all);
    expect(statusOf(await ask(request))).toBe(200);
    expect(backend.requests.map((one) => one.body.toString())).toEqual([body, body]);
  });

  it('that arrives in pieces is sent again from its begin, and goes on', async () => {
    let heads = 0;
    backend.script = {
      connection(peer) {
        // The first one is given up in the middle of its body.
        if (++heads > 1) return respondLater(peer);
        void peer.text('abc').then(() => peer.reset());
      },
    };
    async function respondLater(peer: Peer) {
      const { body } = await peer.message();
      backend.requests.push({ body } as Message);
      peer.write(fine);
    }
    await start(all);
    const client = await connect();
    client.write('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n');
    await backend.connection(0);
    client.write('abc');
    await backend.connection(1);
    client.write('def');
    client.write('ghi');
    expect(statusOf(await client.message())).toBe(200);
    expect(backend.requests[0]?.body.toString()).toBe('abcdefghi');
  });

  it('that is too long to be held is not sent again', async () => {
    backend.script = inTurn(status(503), fine);
    await start(all);
    expect(statusOf(await ask(put('x'.repeat(200_000))))).toBe(503);
    expect(backend.requests).toHaveLength(1);
  });
});

describe('time', () => {
  it('a Retry-After is waited for', async () => {
    backend.script = inTurn(status(503, 'Retry-After: 1\r\n'), fine);
    await start({ ...all, maxRetryAfterMs: 1000 });
    const begin = performance.now();
    expect(statusOf(await ask())).toBe(200);
    expect(performance.now() - begin).toBeGreaterThan(990);
  });

  it.each(['2', '86400', new Date(Date.now() + 3_600_000).toUTCString()])(
    'a Retry-After of %s, longer than the rule waits, is passed on',
    async (value) => {
      backend.script = inTurn(status(503, `Retry-After: ${value}\r\n`), fine);
      await start({ ...all, maxRetryAfterMs: 1000 });
      const answer = await ask();
      expect([statusOf(answer), valuesOf(answer.fields, 'retry-after')]).toEqual([503, [value]]);
      expect(backend.requests).toHaveLength(1);
    },
  );

  it.each(['soon', '-1', '', 'Wed, 21 Oct 2015 07:28:00 GMT'])(
    'a Retry-After of "%s" makes no difference',
    async (value) => {
      backend.script = inTurn(status(503, `Retry-After: ${value}\r\n`), fine);
      await start({ ...all, maxRetryAfterMs: 1000 });
      expect(statusOf(await ask())).toBe(200);
    },
  );

  it('the limit of the whole request holds over all tries', async () => {
    backend.script = {};
    const timeouts = { request: 260, backendRequest: 260 };
    await start({ ...all, attempts: 10, tryTimeoutMs: 60 }, { rule: { timeouts } });
    const begin = performance.now();
    const answer = await ask();
    const took = performance.now() - begin;
    expect([statusOf(answer), answer.body.toString()]).toEqual([
      504,
      '{"error":"Gateway timeout"}',
    ]);
    expect(took).toBeGreaterThan(255);
    expect(backend.requests.length).toBeGreaterThan(1);
    expect(backend.requests.length).toBeLessThan(6);
  });

  it('no try begins that has no time left', async () => {
    backend.script = inTurn(status(503), fine);
    await start(
      { ...all, backOffInitialMs: 600_000, backOffMaxMs: 600_000, maxRetryAfterMs: 60_000 },
      { rule: { timeouts: { request: 500 } } },
    );
    backend.script = inTurn(status(503, 'Retry-After: 1\r\n'), fine);
    expect(statusOf(await ask())).toBe(503);
    expect(backend.requests).toHaveLength(1);
  });
});

describe('retries are bounded', () => {
  async function failMany(count: number) {
    backend.script = answering(status(503));
    const answers = await Promise.all(Array.from({ length: count }, () => ask()));
    expect(answers.every((answer) => statusOf(answer) === 503)).toBe(true);
    return backend.requests.length - count;
  }

  it('by the budget: a share of the requests that are under way', async () => {
    const slow = { ...all, backOffInitialMs: 300, backOffMaxMs: 300, attempts: 1 };
    await start({ ...slow, budgetPercent: 20, budgetMinimum: 1 });
    const retried = await failMany(40);
    // As requests end the share gets smaller, so the bound is that of all of them.
    expect(retried).toBeGreaterThanOrEqual(1);
    expect(retried).toBeLessThanOrEqual(8);
    expect(gateway.metrics()).toMatch(
      /gateway_retries_denied_total\{service="up",reason="budget"\} \d/,
    );
  });

  it('by the limit of the upstream', async () => {
    const circuitBreaker = { timeoutMs: 1000, halfOpenRequests: 1, limits: { maxRetries: 2 } };
    const slow = { ...all, backOffInitialMs: 300, backOffMaxMs: 300, attempts: 1 };
    await start(slow, { more: { circuitBreaker } });
    backend.script = answering(status(503));
    await Promise.all(Array.from({ length: 20 }, () => ask()));
    expect(gateway.metrics()).toMatch(
      /gateway_retries_denied_total\{service="up",reason="limit"\} \d/,
    );
    // What was taken is given back.
    backend.script = inTurn(status(503), fine);
    expect(statusOf(await ask())).toBe(200);
  });

  it('by the circuit breaker: one that has opened meanwhile lets none through', async () => {
    const circuitBreaker = { failureThreshold: 1, timeoutMs: 60_000, halfOpenRequests: 1 };
    await start(all, { more: { circuitBreaker } });
    backend.script = inTurn(status(503), fine);
    const answer = await ask();
    expect(statusOf(answer)).toBe(503);
    expect(answer.body.toString()).toBe('{"error":"Circuit breaker open"}');
    expect(backend.requests).toHaveLength(1);
  });
});

describe('hedging', () => {
  let slow: RawBackend;
  let held: Peer[];
  beforeEach(async () => {
    held = [];
    slow = await startBackend({ request: (_request, peer) => held.push(peer) });
  });
  afterEach(() => slow.close());
  const hedging = { ...all, hedgeAfterMs: 30, budgetMinimum: 10 };

  it('takes the answer that is there first and gives the other one up', async () => {
    await start(hedging, { ports: [slow.port, backend.port] });
    while (held.length === 0) expect((await ask()).body.toString()).toBe('ok');
    await held[0]?.close();
    expect(gateway.metrics()).toContain('gateway_retries_total{service="up",reason="hedge"} 1');
  });

  it('goes on with the slow one when the second fails', async () => {
    backend.script = answering(status(503, 'Connection: close\r\n'));
    await start({ ...hedging, attempts: 1 }, { ports: [slow.port, backend.port] });
    const client = await connect();
    client.write(get);
    // The gateway has read the answer when it closes the connection.
    await (await backend.connection(0)).close();
    expect(client.bytes).toHaveLength(0);
    held[0]?.write(fine);
    expect((await client.message()).body.toString()).toBe('ok');
  });

  it('is none for what may not be processed twice', async () => {
    backend.script = { request: (_request, peer) => held.push(peer) };
    await start(hedging, { ports: [slow.port, backend.port] });
    const client = await connect();
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
    await expect.poll(() => held.length, patient).toBe(1);
    // A GET that comes later is hedged, so the time was long enough.
    const other = await connect();
    other.write(get);
    await expect.poll(() => held.length, patient).toBe(3);
    for (const peer of held) peer.write(fine);
    await client.message();
    await other.message();
  });
});

describe('headers of a request', () => {
  const fields = 'X-Gatehouse-Retries: 0\r\nx-gatehouse-timeout-ms: 100\r\n';

  it('of a trusted proxy set timeout and retries', async () => {
    backend.script = inTurn(status(503), fine);
    await start(all, { trustedHops: 1 });
    expect(statusOf(await ask(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`))).toBe(503);
    backend.script = {};
    expect(statusOf(await ask(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`))).toBe(504);
    const quick = 'x-gatehouse-try-timeout-ms: 60\r\n';
    backend.script = inTurn(silence, fine);
    expect(statusOf(await ask(`GET / HTTP/1.1\r\nHost: a\r\n${quick}\r\n`))).toBe(200);
    backend.script = inTurn(status(503), status(503), status(503), status(503), fine);
    const four = 'x-gatehouse-retries: 4\r\n';
    expect(statusOf(await ask(`GET / HTTP/1.1\r\nHost: a\r\n${four}\r\n`))).toBe(200);
  });

  it('of a trusted proxy: a limit of the rule is never exceeded', async () => {
    backend.script = {};
    await start(all, { trustedHops: 1, rule: { timeouts: { request: 100 } } });
    const more = 'x-gatehouse-timeout-ms: 60000\r\nx-gatehouse-retries: 1\r\n';
    expect(statusOf(await ask(`GET / HTTP/1.1\r\nHost: a\r\n${more}\r\n`))).toBe(504);
  });

  it.each(['-1', 'many', '1e9', ''])(
    'of a trusted proxy that make no sense: "%s"',
    async (text) => {
      backend.script = inTurn(status(503), fine);
      await start(all, { trustedHops: 1 });
      const nonsense = `x-gatehouse-retries: ${text}\r\nx-gatehouse-timeout-ms: ${text}\r\n`;
      expect(statusOf(await ask(`GET / HTTP/1.1\r\nHost: a\r\n${nonsense}\r\n`))).toBe(200);
    },
  );

  it('of anybody else are ignored, and never passed on', async () => {
    backend.script = inTurn(status(503), fine);
    await start(all);
    const more = `${fields}x_gatehouse_timeout_ms: 1\r\nx-gatehouse-try-timeout-ms: 1\r\n`;
    expect(statusOf(await ask(`GET / HTTP/1.1\r\nHost: a\r\n${more}\r\n`))).toBe(200);
    expect(backend.requests.map(({ head }) => head.toLowerCase()).join('')).not.toMatch(
      /x.gatehouse/,
    );
  });

  it('tell the upstream how much time is left, less with each try', async () => {
    backend.script = inTurn(silence, fine);
    const timeouts = { request: 5000, backendRequest: 5000 };
    await start({ ...all, tryTimeoutMs: 1000 }, { rule: { timeouts } });
    await ask();
    const left = backend.requests.map(({ fields: found }) =>
      valuesOf(found, 'x-gatehouse-timeout-ms').map(Number),
    );
    expect(left.map(({ length }) => length)).toEqual([1, 1]);
    expect(left[0]![0]).toBeLessThanOrEqual(5000);
    expect(left[0]![0]).toBeGreaterThan(2000);
    expect(left[1]![0]).toBeLessThanOrEqual(left[0]![0]! - 1000);
  });
});

it('what a newer controller asks for is refused', async () => {
  await expect(start({ on: [9 as Retries_On] })).rejects.toThrow('rules[0].retries.on[0]');
  await start({});
});
