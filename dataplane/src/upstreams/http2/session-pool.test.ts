import { constants } from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { refusedPort } from '../../testing/backend.ts';
import { type Http2Backend, okScript, startHttp2Backend } from '../../testing/http2-backend.ts';
import { type Answer, startPool } from './testing.ts';

let backend: Http2Backend;
let stage: ReturnType<typeof startPool>;
let server: Server | undefined;

async function start(...args: Parameters<typeof startHttp2Backend>) {
  backend = await startHttp2Backend(...args);
  stage = startPool(backend.port);
}

afterEach(async () => {
  await stage?.close();
  await backend?.close();
  server?.close();
  server = undefined;
});

it('carries requests side by side on one connection', async () => {
  await start();
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => stage.ask(`/${i}`)));
  expect(answers.map(({ status, body }) => [status, body])).toEqual(answers.map(() => [200, 'ok']));
  expect(backend.sessions).toHaveLength(1);
  expect(stage.pool.open).toBe(1);
});

describe('what is sent', () => {
  it('is the head in fields, and the body', async () => {
    await start();
    await stage.ask(
      '/a?b',
      'hello',
      'X-One: 1\r\ncontent-length: 5\r\nte: trailers\r\nConnection: close\r\n',
    );
    const [request] = backend.requests;
    expect(request?.headers).toMatchObject({
      ':method': 'POST',
      ':path': '/a?b',
      ':scheme': 'http',
      ':authority': 'test',
      'x-one': '1',
      'content-length': '5',
      te: 'trailers',
    });
    expect(request?.headers).not.toHaveProperty('connection');
    expect((await request?.body)?.toString()).toBe('hello');
  });

  it('ends with the head when there is no body', async () => {
    await start(({ stream, headers }) => {
      stream.respond({
        ':status': 200,
        'x-ended': String(stream.endAfterHeaders),
        'x-path': String(headers[':path']),
      });
      stream.end();
    });
    expect((await stage.ask('/')).head).toContain('x-ended: true\r\n');
  });

  it('may have trailers', async () => {
    await start(({ stream, body }) => {
      void body.then(() => okScript({ stream } as never));
    });
    const call = stage.call('/');
    call.send('one');
    await backend.received(1);
    call.send('two', true, ['X-Sum', '1', 'x-sum', '2']);
    await call.answer;
    expect((await backend.requests[0]?.body)?.toString()).toBe('onetwo');
    expect(backend.requests[0]?.trailers).toMatchObject({ 'x-sum': '1, 2' });
  });

  it('waits for the window of the peer', async () => {
    await start(({ stream }) => stream.pause());
    const call = stage.call('/');
    call.send('');
    await backend.received(1);
    const mebibyte = Buffer.alloc(1_048_576, 'x');
    expect(call.send(mebibyte)).toBe(false);
    expect(call.writable).toBeLessThan(2);
    const before = call.writable;
    backend.requests[0]?.stream.resume();
    await vi.waitFor(() => expect(call.writable).toBe(before + 1));
    call.send('', true);
    expect((await backend.requests[0]?.body)?.length).toBe(1_048_576);
    backend.requests[0]?.stream.respond({ ':status': 204 }, { endStream: true });
    expect((await call.answer).status).toBe(204);
  });
});

describe('what is answered', () => {
  it('may have interim heads, a body and trailers', async () => {
    await start(({ stream }) => {
      stream.additionalHeaders({ ':status': 103, link: '</a.css>' });
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end('body');
    });
    expect(await stage.ask()).toMatchObject({
      status: 200,
      interims: [103],
      body: 'body',
      trailers: ['grpc-status', '0'],
    });
  });

  it('is read no faster than it is taken', async () => {
    await start(({ stream }) => {
      stream.respond({ ':status': 200 });
      stream.end(Buffer.alloc(8_388_608, 'x'));
    });
    const call = stage.call('/', '', {});
    call.send('', true);
    await call.head;
    call.stream.pause();
    expect(call.stream.paused).toBe(true);
    const sent = () => backend.requests[0]?.stream.writableLength ?? 0;
    await vi.waitFor(() => expect(sent()).toBeGreaterThan(1_000_000));
    const before = call.received();
    // Others on the connection are not held up.
    backend.script = okScript;
    expect((await stage.ask()).body).toBe('ok');
    expect(call.received()).toBe(before);
    call.stream.resume();
    expect((await call.answer).body.length).toBe(8_388_608);
  });

  it('ends a request whose body is still on its way', async () => {
    await start(({ stream }) => {
      stream.respond({ ':status': 413 }, { endStream: true });
    });
    const call = stage.call('/');
    call.send('first');
    expect(await call.answer).toMatchObject({ status: 413, failure: undefined });
    await vi.waitFor(() => expect(backend.requests[0]?.stream.closed).toBe(true));
    expect((await stage.ask()).status).toBe(413);
    expect(backend.sessions).toHaveLength(1);
  });

  it.each<[string, number, string]>([
    ['nothing, but with a reset', constants.NGHTTP2_INTERNAL_ERROR, 'reset'],
    ['nothing, as it was refused', constants.NGHTTP2_REFUSED_STREAM, 'refused'],
    ['nothing, as HTTP/1.1 is wanted', constants.NGHTTP2_HTTP_1_1_REQUIRED, 'protocol'],
  ])('%s', async (_, code, failure) => {
    await start(({ stream }) => stream.close(code));
    expect(await stage.ask()).toMatchObject({ status: 0, failure });
  });

  const head = frame(1, 0x4, '\x88');
  const part = frame(0, 0, 'body');
  const end = frame(0, 0x1, '');
  it.each<[string, Buffer[], Partial<Answer>]>([
    ['a part, and a reset', [head, part, reset(8)], { body: 'body', failure: 'reset' }],
    ['a part, and an end that is none', [head, part, reset(0)], { body: 'body', failure: 'reset' }],
    [
      'everything, and no more of the request is wanted',
      [head, part, end, reset(0)],
      { body: 'body', failure: undefined },
    ],
    [
      'less than was announced',
      [frame(1, 0x4, '\x88\x0f\x0d\x019'), part, end],
      { failure: 'protocol' },
    ],
    ['a body behind 204', [frame(1, 0x4, '\x89'), part, end], { body: '', failure: 'protocol' }],
    ['no status', [frame(1, 0x5, '')], { failure: 'protocol' }],
    ['101', [frame(1, 0x4, '\x08\x03101'), head, end], { failure: 'protocol' }],
    ['garbage', [frame(99, 0, 'x'), frame(9, 0, 'x')], { failure: 'protocol' }],
  ])('%s', async (_, frames, expected) => {
    const raw = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write(Buffer.from('000000040000000000', 'hex'));
      let bytes = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => {
        bytes = Buffer.concat([bytes, chunk]);
        if (holdsHead(bytes)) socket.write(Buffer.concat(frames));
      });
    });
    server = raw;
    await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
    stage = startPool((raw.address() as AddressInfo).port);
    const call = stage.call();
    call.send('some', !_.includes('no more of the request'));
    expect(await call.answer).toMatchObject(expected);
  });
});

/** A frame on the first stream. */
function frame(type: number, flags: number, payload: string): Buffer {
  const bytes = Buffer.from(payload, 'latin1');
  return Buffer.concat([Buffer.from([0, 0, bytes.length, type, flags, 0, 0, 0, 1]), bytes]);
}

/** True once a head is in what a client sent. */
function holdsHead(bytes: Buffer): boolean {
  let at = 24;
  while (at + 9 <= bytes.length) {
    if (bytes[at + 3] === 1) return true;
    at += 9 + bytes.readUIntBE(at, 3);
  }
  return false;
}

function reset(code: number): Buffer {
  return frame(3, 0, `\0\0\0${String.fromCharCode(code)}`);
}

describe('an upstream that takes few requests at once', () => {
  it('gets the others on further connections', async () => {
    const held: (() => void)[] = [];
    await start(({ stream }) => held.push(() => okScript({ stream } as never)), {
      settings: { maxConcurrentStreams: 2 },
    });
    const answers = Promise.all(Array.from({ length: 7 }, () => stage.ask()));
    await backend.received(7);
    expect(backend.sessions).toHaveLength(4);
    for (const go of held) go();
    expect((await answers).map(({ body }) => body)).toEqual(Array(7).fill('ok'));
  });

  it('has them wait where no more connections are allowed', async () => {
    await start(okScript, { settings: { maxConcurrentStreams: 2 } });
    stage.pool.settings = { ...stage.pool.settings, maxConnections: 1 };
    await stage.ask();
    const answers = Promise.all(Array.from({ length: 7 }, () => stage.ask()));
    expect(stage.pool.room).toBe(false);
    expect((await answers).map(({ body }) => body)).toEqual(Array(7).fill('ok'));
    expect(backend.sessions).toHaveLength(1);
    expect(stage.pool.room).toBe(true);
  });
});

describe('an upstream that leaves', () => {
  it('finishes what it has, and gets the rest on another connection', async () => {
    const held: (() => void)[] = [];
    await start(({ stream }) => held.push(() => okScript({ stream } as never)));
    const first = stage.ask();
    await backend.received(1);
    backend.sessions[0]?.close();
    await vi.waitFor(() => expect(stage.pool.room).toBe(true));
    const leaving = new Promise((resolve) => backend.sessions[0]?.once('close', resolve));
    backend.script = okScript;
    await vi.waitFor(async () => expect((await stage.ask()).body).toBe('ok'));
    await vi.waitFor(() => expect(backend.sessions.length).toBeGreaterThan(1));
    for (const go of held) go();
    expect((await first).body).toBe('ok');
    await leaving;
  });

  it('says which requests it did not process', async () => {
    await start(() => undefined);
    const calls = [stage.ask('/1'), stage.ask('/2')];
    await backend.received(2);
    backend.sessions[0]?.goaway(constants.NGHTTP2_NO_ERROR, 1);
    expect((await calls[1])?.failure).toBe('refused');
    backend.sockets[0]?.destroy();
    expect((await calls[0])?.failure).toBe('reset');
  });
});

describe('an upstream that does not answer', () => {
  it('because nobody listens', async () => {
    stage = startPool(await refusedPort());
    expect((await stage.ask()).failure).toBe('connect');
  });

  it('in HTTP/2, but in HTTP/1.1', async () => {
    const port = await listen((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () =>
        socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n'),
      );
    });
    stage = startPool(port);
    expect((await stage.ask()).failure).toBe('protocol');
  });

  it('at all, though it takes connections', async () => {
    const port = await listen((socket) => socket.on('error', () => undefined));
    stage = startPool(port, { connectTimeout: 100 });
    expect((await stage.ask()).failure).toBe('connect timeout');
  });

  it('and closes before it has said anything', async () => {
    const port = await listen((socket) => socket.destroy());
    stage = startPool(port);
    expect((await stage.ask()).failure).toBe('connect');
  });

  async function listen(take: (socket: Socket) => void): Promise<number> {
    const made = createServer(take);
    server = made;
    await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
    return (made.address() as AddressInfo).port;
  }
});

describe('a connection', () => {
  it('that idles is closed after a while', async () => {
    await start();
    stage.pool.settings = { ...stage.pool.settings, idleTimeout: 50 };
    await stage.ask();
    await vi.waitFor(() => expect(stage.pool.open).toBe(0));
    expect((await stage.ask()).body).toBe('ok');
  });

  it('that is old takes no more requests', async () => {
    await start();
    stage.pool.settings = { ...stage.pool.settings, maxLifetime: 1 };
    await vi.waitFor(async () => {
      await stage.ask();
      expect(backend.sessions.length).toBeGreaterThan(1);
    });
    await vi.waitFor(() => expect(stage.pool.open).toBeLessThan(2));
  });

  it('that idles makes room', async () => {
    await start();
    await stage.ask();
    expect(stage.pool.closeIdle()).toBe(true);
    expect(stage.quota.open).toBe(0);
    expect(stage.pool.closeIdle()).toBe(false);
  });

  it('carries on when a request is given up', async () => {
    await start(({ stream }) => stream.respond({ ':status': 200 }));
    const call = stage.call('/');
    call.send('', true);
    await call.head;
    call.stream.abort();
    await vi.waitFor(() =>
      expect(backend.requests[0]?.stream.rstCode).toBe(constants.NGHTTP2_CANCEL),
    );
    backend.script = okScript;
    expect((await stage.ask()).body).toBe('ok');
    expect(backend.sessions).toHaveLength(1);
  });

  it('outlives a bug of whoever takes an answer', async () => {
    await start();
    const bug = new Error('bug');
    const call = stage.call('/', '', {
      sink: {
        onResponse() {
          throw bug;
        },
      },
    });
    call.send('', true);
    await expect(call.answer).rejects.toBe(bug);
    expect((await stage.ask()).body).toBe('ok');
  });
});
