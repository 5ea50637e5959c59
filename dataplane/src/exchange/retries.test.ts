import { Retries_On } from '@gatehouse/snapshot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answering, refusedPort, startBackend } from '../testing/backend.ts';
import { get } from '../testing/clients.ts';
import { type Message, statusOf, valuesOf } from '../testing/message.ts';
import { type Peer, patient } from '../testing/peer.ts';
import {
  anything,
  failing,
  fine,
  inTurn,
  type RetryFields,
  type RetryStage,
  setStage,
  silence,
  type Turn,
  usual,
} from './testing.ts';

const { CONNECT_FAILURE, RESET, GATEWAY_ERROR } = Retries_On;

let stage: RetryStage;
beforeEach(async () => {
  stage = await setStage();
});
afterEach(() => stage.close());

describe('a request is sent again', () => {
  it.each<[string, Turn, RetryFields]>([
    ['after 502', failing(502), { on: [GATEWAY_ERROR] }],
    ['after 503', failing(503), { on: [GATEWAY_ERROR] }],
    ['after 504', failing(504), { on: [GATEWAY_ERROR] }],
    ['after 500', failing(500), anything],
    ['after 503 as any 5xx', failing(503), anything],
    ['after a status of the list', failing(429), { statuses: [425, 429] }],
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
      usual,
    ],
  ])('%s', async (_, turn, retries) => {
    stage.backend.script = inTurn(turn, fine);
    await stage.start(retries);
    const answer = await stage.ask();
    expect([statusOf(answer), answer.body.toString()]).toEqual([200, 'ok']);
    expect(stage.backend.requests).toHaveLength(2);
    expect(stage.backend.requests[1]?.head).toBe(stage.backend.requests[0]?.head);
    expect(stage.metrics()).toMatch(/gateway_retries_total\{service="up",reason="[a-z]+"\} 1/);
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])('%s', async (method) => {
    stage.backend.script = inTurn(
      failing(503).replace('bad', method === 'HEAD' ? '' : 'bad'),
      fine,
    );
    if (method === 'HEAD') {
      const head = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n';
      stage.backend.script = inTurn('HTTP/1.1 503 x\r\nContent-Length: 3\r\n\r\n', head);
    }
    await stage.start(usual);
    expect(statusOf(await stage.ask(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`))).toBe(200);
    expect(stage.backend.requests).toHaveLength(2);
  });

  it('to another endpoint, whatever comes next in the rotation', async () => {
    const bad = await startBackend(answering(failing(503)));
    await stage.start(usual, { ports: [bad.port, stage.backend.port] });
    for (let i = 0; i < 10; i++) expect(statusOf(await stage.ask())).toBe(200);
    expect(bad.requests.length).toBeGreaterThan(0);
    await bad.close();
  });

  it('as often as the rule says; then the last answer is passed on', async () => {
    stage.backend.script = inTurn(
      failing(503, 'a: 1\r\n'),
      failing(502, 'a: 2\r\n'),
      failing(504, 'a: 3\r\n'),
    );
    await stage.start(usual);
    const answer = await stage.ask();
    expect([statusOf(answer), valuesOf(answer.fields, 'a')]).toEqual([504, ['3']]);
    expect(stage.backend.requests).toHaveLength(3);
  });

  it('over the connection that the answer came on, when it was complete', async () => {
    stage.backend.script = inTurn(failing(503), fine);
    await stage.start(usual);
    await stage.ask();
    expect(stage.backend.connections).toHaveLength(1);
  });

  it('when it cannot be sent at all, whatever its method', async () => {
    const dead = [await refusedPort(), await refusedPort(), await refusedPort()];
    await stage.start(
      { on: [CONNECT_FAILURE], attempts: 1 },
      { ports: [...dead, stage.backend.port] },
    );
    for (let i = 0; i < 8; i++) {
      const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc';
      expect(statusOf(await stage.ask(post))).toBe(200);
    }
    expect(stage.backend.requests.every(({ body }) => body.toString() === 'abc')).toBe(true);
  });

  it('in the order of pipelined requests', async () => {
    stage.backend.script = inTurn(
      failing(503),
      fine,
      'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond',
    );
    await stage.start(usual);
    const client = await stage.clients.connect();
    client.write(get + get);
    expect((await client.message()).body.toString()).toBe('ok');
    expect((await client.message()).body.toString()).toBe('second');
  });
});

describe('a request is not sent again', () => {
  it.each<[string, Turn, RetryFields, number]>([
    ['after 404', failing(404), anything, 404],
    ['after 500, which is none of a gateway', failing(500), usual, 500],
    ['after 503 that is not asked for', failing(503), { on: [RESET] }, 503],
    ['after a reset that is not asked for', (peer) => peer.reset(), { on: [GATEWAY_ERROR] }, 502],
    ['after silence that is not asked for', silence, { on: [RESET], tryTimeoutMs: 60 }, 504],
  ])('%s', async (_, turn, retries, expected) => {
    stage.backend.script = inTurn(turn, fine);
    await stage.start(retries);
    expect(statusOf(await stage.ask())).toBe(expected);
    expect(stage.backend.requests).toHaveLength(1);
  });

  it.each<[string, Turn, number]>([
    ['after 503', failing(503), 503],
    ['after a reset', (peer) => peer.reset(), 502],
    ['after silence', silence, 504],
  ])('when it is a POST that may have been processed: %s', async (_, turn, expected) => {
    stage.backend.script = inTurn(turn, fine);
    await stage.start({ ...anything, statuses: [503], tryTimeoutMs: 60 });
    const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc';
    expect(statusOf(await stage.ask(post))).toBe(expected);
    expect(stage.backend.requests).toHaveLength(1);
  });

  it('once the response has begun: it is cut', async () => {
    stage.backend.script = {
      async request(_request, peer) {
        peer.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab');
        await stage.clients.open[0]?.text('ab');
        peer.reset();
      },
    };
    await stage.start(anything);
    const client = await stage.clients.connect();
    client.write(get);
    expect(await client.close()).toBe('ECONNRESET');
    expect(stage.backend.requests).toHaveLength(1);
  });

  it('when the client has gone meanwhile', async () => {
    stage.backend.script = inTurn(failing(503), fine);
    // The pause is drawn from nothing up to that: long enough for the client to go first.
    await stage.start({ ...usual, backOffInitialMs: 600_000, backOffMaxMs: 600_000 });
    const client = await stage.clients.connect();
    client.write(get);
    await expect.poll(() => stage.metrics(), patient).toMatch(/gateway_retries_total\{.*\} 1/);
    client.socket.destroy();
    await expect.poll(() => stage.metrics(), patient).toMatch(/status="499"/);
    expect(stage.backend.requests).toHaveLength(1);
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
    stage.backend.script = inTurn(failing(503), fine);
    await stage.start(usual);
    expect(statusOf(await stage.ask(request))).toBe(200);
    expect(stage.backend.requests.map((one) => one.body.toString())).toEqual([body, body]);
  });

  it('that arrives in pieces is sent again from its begin, and goes on', async () => {
    let heads = 0;
    stage.backend.script = {
      connection(peer) {
        // The first one is given up in the middle of its body.
        if (++heads > 1) return respondLater(peer);
        void peer.text('abc').then(() => peer.reset());
      },
    };
    async function respondLater(peer: Peer) {
      const { body } = await peer.message();
      stage.backend.requests.push({ body } as Message);
      peer.write(fine);
    }
    await stage.start(usual);
    const client = await stage.clients.connect();
    client.write('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n');
    await stage.backend.connection(0);
    client.write('abc');
    await stage.backend.connection(1);
    client.write('def');
    client.write('ghi');
    expect(statusOf(await client.message())).toBe(200);
    expect(stage.backend.requests[0]?.body.toString()).toBe('abcdefghi');
  });

  it('that is too long to be held is not sent again', async () => {
    stage.backend.script = inTurn(failing(503), fine);
    await stage.start(usual);
    expect(statusOf(await stage.ask(put('x'.repeat(200_000))))).toBe(503);
    expect(stage.backend.requests).toHaveLength(1);
  });
});

it('what a newer controller asks for is refused', async () => {
  await expect(stage.start({ on: [99 as Retries_On] })).rejects.toThrow('rules[0].retries.on[0]');
  await stage.start({});
});
