import { Balancing_Algorithm, Retries_On } from '@gatehouse/snapshot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answering, type RawBackend, startBackend } from '../testing/backend.ts';
import { clientsOf } from '../testing/clients.ts';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import { statusOf } from '../testing/message.ts';
import { type Peer, patient } from '../testing/peer.ts';
import { forwardRule, type TestRule, type UpstreamFields } from '../testing/snapshot.ts';

const fine = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const overloaded = '{"error":"Service overloaded"}';
/** So long that no test waits for it. */
const long = 60_000;

let one: RawBackend;
let two: RawBackend;
let gateway: TestGateway;
/** Requests that backends have got and not answered yet. */
let held: { path: string; peer: Peer }[];
const clients = clientsOf(() => gateway.port);
const holding: RawBackend['script'] = {
  request: ({ startLine }, peer) => held.push({ path: startLine.split(' ')[1] ?? '', peer }),
};

beforeEach(async () => {
  held = [];
  one = await startBackend(holding);
  two = await startBackend(holding);
});
afterEach(async () => {
  clients.close();
  await gateway.close();
  await one.close();
  await two.close();
});

function snapshot(more: UpstreamFields, rules: TestRule[] = [forwardRule('up')], backends = [one]) {
  const endpoints = backends.map(({ port }) => ({ port }));
  const limits = { maxConnections: 1, queueTimeoutMs: long, ...more };
  return {
    rules,
    upstreams: {
      up: { endpoints, more: limits },
      spare: { endpoints: [{ port: two.port }] },
    },
  };
}

async function start(...settings: Parameters<typeof snapshot>) {
  gateway = await startGateway(snapshot(...settings));
}

function send(path = '/', request = `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`) {
  return clients.send(request);
}

/** Waits until so many requests have come to backends and were not answered. */
const arrived = (count: number) => expect.poll(() => held.length, patient).toBe(count);
/** Waits until so many requests wait, or did. */
const queued = (count: number) =>
  expect
    .poll(
      () => Number(/gateway_queued_requests_total\{.*\} (\d+)/.exec(gateway.metrics())?.[1] ?? 0),
      patient,
    )
    .toBe(count);

/** Answers the request that came first. */
function answerNext(text = fine): string {
  const next = held.shift();
  next?.peer.write(text);
  return next?.path ?? '';
}

describe('a pool at its limit', () => {
  it('has requests wait, and opens no more connections', async () => {
    await start({});
    const peers = [await send('/1')];
    await arrived(1);
    for (let i = 2; i <= 5; i++) {
      peers.push(await send(`/${i}`));
      await queued(i - 1);
    }
    expect(held).toHaveLength(1);
    for (let i = 1; i <= 5; i++) {
      await arrived(1);
      expect(answerNext()).toBe(`/${i}`);
    }
    for (const peer of peers) expect(statusOf(await peer.message())).toBe(200);
    expect(one.connections).toHaveLength(1);
  });

  it('answers 503 when the time to wait is over', async () => {
    await start({ queueTimeoutMs: 60 });
    await send();
    await arrived(1);
    const begin = performance.now();
    const answer = await (await send()).message();
    expect([statusOf(answer), answer.body.toString()]).toEqual([503, overloaded]);
    expect(performance.now() - begin).toBeGreaterThan(55);
    expect(gateway.metrics()).toContain(
      'gateway_upstream_refused_total{service="up",reason="no connection"} 1',
    );
    answerNext();
  });

  it('answers 504 when the request itself has no more time', async () => {
    await start({}, [forwardRule('up', { timeouts: { request: 60 } })]);
    one.script = {};
    await send();
    await expect.poll(() => one.requests.length, patient).toBe(1);
    expect(statusOf(await (await send()).message())).toBe(504);
  });

  it('answers 503 at once when requests must not wait, or too many do', async () => {
    await start({ queueTimeoutMs: 0 });
    await send();
    await arrived(1);
    expect((await (await send()).message()).body.toString()).toBe(overloaded);
    const circuitBreaker = { timeoutMs: 1, halfOpenRequests: 1, limits: { maxPending: 2 } };
    await gateway.use(snapshot({ circuitBreaker }));
    const waiting = [await send(), await send()];
    await queued(2);
    expect((await (await send()).message()).body.toString()).toBe(overloaded);
    // Who goes makes room for another one.
    waiting[0]?.socket.destroy();
    await expect.poll(() => gateway.metrics(), patient).toContain('status="499"');
    waiting.push(await send('/late'));
    await queued(3);
    for (let i = 0; i < 3; i++) {
      await arrived(1);
      answerNext();
    }
    for (const peer of waiting.slice(1)) expect(statusOf(await peer.message())).toBe(200);
  });

  it('answers by the fallback of the rule, with the body of the request', async () => {
    const fallback = {
      instead: { case: 'backend' as const, value: { upstream: 'spare', weight: 1 } },
    };
    await start({ queueTimeoutMs: 60 }, [forwardRule('up', { fallback })]);
    two.script = answering('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nspare');
    await send();
    await arrived(1);
    const put = 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc';
    const client = await send('/', put);
    client.write('def');
    expect((await client.message()).body.toString()).toBe('spare');
    expect(two.requests[0]?.body.toString()).toBe('abcdef');
  });

  it('takes a body that came while the request waited', async () => {
    await start({});
    await send();
    await arrived(1);
    const chunked = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n';
    const client = await send('/', chunked);
    await queued(1);
    client.write('3\r\ndef\r\n0\r\n\r\n');
    answerNext();
    await arrived(1);
    answerNext();
    expect(statusOf(await client.message())).toBe(200);
    expect(one.requests[1]?.body.toString()).toBe('abcdef');
  });

  it('gives the place of a client that has gone to the next', async () => {
    await start({});
    await send('/1');
    await arrived(1);
    const gone = await send('/gone');
    await queued(1);
    const stays = await send('/stays');
    await queued(2);
    gone.socket.destroy();
    await expect.poll(() => gateway.metrics(), patient).toContain('status="499"');
    answerNext();
    await arrived(1);
    expect(answerNext()).toBe('/stays');
    expect(statusOf(await stays.message())).toBe(200);
  });

  it('goes on over a new connection when one breaks', async () => {
    await start({});
    await send('/1');
    await arrived(1);
    const next = await send('/2');
    await queued(1);
    held.shift()?.peer.reset();
    await arrived(1);
    answerNext();
    expect(statusOf(await next.message())).toBe(200);
    expect(one.connections).toHaveLength(2);
  });

  it('goes on when the limit is raised, and when an endpoint is added', async () => {
    await start({});
    await send('/1');
    await arrived(1);
    await send('/2');
    await send('/3');
    await queued(2);
    await gateway.use(snapshot({ maxConnections: 2 }));
    await arrived(2);
    await gateway.use(snapshot({ maxConnections: 2 }, [forwardRule('up')], [one, two]));
    await arrived(3);
    while (held.length > 0) answerNext();
  });

  it('asks an endpoint that has room instead of waiting', async () => {
    await start({}, undefined, [one, two]);
    const peers = [await send('/1'), await send('/2')];
    await arrived(2);
    expect(one.requests.length).toBe(1);
    // Both are busy; whichever is free first takes the next two.
    peers.push(await send('/3'));
    await queued(1);
    const [first] = held;
    answerNext();
    await arrived(2);
    expect(held[1]?.peer).toBe(first?.peer);
    while (held.length > 0) answerNext();
    for (const peer of peers) expect(statusOf(await peer.message())).toBe(200);
  });

  it('waits for the endpoint of its key, whatever others have room', async () => {
    const balancing = { algorithm: Balancing_Algorithm.MAGLEV, key: '"fixed"' };
    await start({ balancing }, undefined, [one, two]);
    await send('/1');
    await arrived(1);
    await send('/2');
    await queued(1);
    const [first] = held;
    answerNext();
    await arrived(1);
    expect(held[0]?.peer).toBe(first?.peer);
    answerNext();
  });

  it('sends a request again that met a kept connection which was closed', async () => {
    let count = 0;
    one.script = {
      request: (_request, peer) => {
        // The second request on the first connection is answered by a close.
        if (++count === 2) peer.end();
        else peer.write(fine);
      },
    };
    await start({});
    for (let i = 0; i < 3; i++) expect(statusOf(await (await send()).message())).toBe(200);
  });

  it('has retries wait as well', async () => {
    const retries = { attempts: 1, on: [Retries_On.GATEWAY_ERROR], budgetMinimum: 5 };
    await start({}, [forwardRule('up', { retries })]);
    const first = await send('/1');
    await arrived(1);
    const second = await send('/2');
    await queued(1);
    answerNext('HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n');
    // The second one is on its way before the first is sent again.
    await arrived(1);
    await queued(2);
    expect(answerNext()).toBe('/2');
    await arrived(1);
    expect(answerNext()).toBe('/1');
    expect(statusOf(await first.message())).toBe(200);
    expect(statusOf(await second.message())).toBe(200);
  });
});

describe('a limit for all endpoints together', () => {
  const limited = (maxConnections: number, more: UpstreamFields = {}) => ({
    maxConnections: 0,
    circuitBreaker: { timeoutMs: 1, halfOpenRequests: 1, limits: { maxConnections } },
    ...more,
  });

  it('has requests wait', async () => {
    await start(limited(1), undefined, [one, two]);
    await send('/1');
    await arrived(1);
    await send('/2');
    await queued(1);
    answerNext();
    await arrived(1);
    answerNext();
    expect(one.connections.length + two.connections.length).toBe(1);
  });

  it('closes what idles elsewhere when a request is bound to an endpoint', async () => {
    const balancing = { algorithm: Balancing_Algorithm.MAGLEV, key: 'request.path' };
    one.script = answering(fine);
    two.script = answering(fine);
    await start(limited(1, { balancing }), undefined, [one, two]);
    for (let i = 0; i < 40; i++) {
      expect(statusOf(await (await send(`/${i}`)).message())).toBe(200);
    }
    expect(one.requests.length).toBeGreaterThan(0);
    expect(two.requests.length).toBeGreaterThan(0);
  });
});
