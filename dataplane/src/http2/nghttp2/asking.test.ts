import { createServer, type Http2Server } from 'node:http2';
import { afterEach, expect, test } from 'vitest';
import { type Asking, askNode, Recorded } from './testing.ts';

let asking: Asking | undefined;
afterEach(async () => {
  await asking?.close();
  asking = undefined;
});

const nothing = Buffer.alloc(0);

function ask(text: string, body = nothing, end = true): Recorded {
  const recorded = new Recorded();
  recorded.stream = asking?.session.open(recorded);
  recorded.stream?.request(text, false, body, end);
  return recorded;
}

/** A server that answers by `serve`. */
function server(serve: Parameters<typeof createServer>[1] & object): Http2Server {
  return createServer(serve);
}

test('a request and its response', async () => {
  const seen: unknown[] = [];
  asking = await askNode(
    server((request, response) => {
      seen.push(
        request.method,
        request.url,
        request.authority,
        request.headers['x-a'],
        request.scheme,
      );
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      response.end('hello');
    }),
  );
  const it = ask('GET /x HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\nX-A:  1\r\n\r\n');
  expect(await it.closed).toBe(0);
  expect(seen).toEqual(['GET', '/x', 'example.com', '1', 'http']);
  expect(it.heads[0]).toMatch(
    /^HTTP\/1\.1 200 OK\r\nset-cookie: a=1\r\nset-cookie: b=2\r\ndate: .*\r\n$/,
  );
  expect([it.body, it.trailers]).toEqual(['hello', []]);
});

test('bodies, interim responses and trailers', async () => {
  const { promise: got, resolve } = Promise.withResolvers<unknown>();
  asking = await askNode(
    server((request, response) => {
      let bytes = 0;
      request.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      request.on('end', () => {
        resolve([bytes, request.trailers['x-sum']]);
        response.writeContinue();
        response.addTrailers({ 'grpc-status': '0' });
        response.end('x');
      });
    }),
  );
  const it = ask('POST / HTTP/1.1\r\nhost: a\r\n\r\n', Buffer.alloc(300_000), false);
  it.stream?.write(Buffer.alloc(200_000), false);
  it.stream?.trailers('X-Sum: 5\r\n');
  expect(await got).toEqual([500_000, '5']);
  await it.closed;
  expect(it.heads.map((text) => text.slice(0, 13))).toEqual(['HTTP/1.1 100 ', 'HTTP/1.1 200 ']);
  expect([it.body, it.trailers]).toEqual(['x', ['grpc-status', '0']]);
});

test('what is sent before the request had its turn goes out with it', async () => {
  const http2 = createServer({ settings: { maxConcurrentStreams: 1 } }, (request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on('end', () => response.end(text));
  });
  asking = await askNode(http2);
  const all = ['a', 'b', 'c'].map((name) => {
    const it = ask(`POST /${name} HTTP/1.1\r\nhost: a\r\n\r\n`, Buffer.from(name), false);
    it.stream?.write(Buffer.from(`${name}2`), false);
    it.stream?.end();
    return it;
  });
  await Promise.all(all.map(({ closed }) => closed));
  expect(all.map(({ body }) => body)).toEqual(['aa2', 'bb2', 'cc2']);
});

test('a request that is taken back before its turn', async () => {
  asking = await askNode(server((_, response) => response.end('x')));
  const it = ask('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  it.stream?.reset(8);
  expect(await it.closed).toBeGreaterThan(0);
  expect(await ask('GET / HTTP/1.1\r\nhost: a\r\n\r\n').closed).toBe(0);
});

test('pings, settings, and the end that the peer announces', async () => {
  const pong = Promise.withResolvers<void>();
  const goaway = Promise.withResolvers<number[]>();
  const over = Promise.withResolvers<void>();
  let most = 0;
  const http2 = createServer({ settings: { maxConcurrentStreams: 7 } }, (_, response) =>
    response.end(),
  );
  http2.on('session', (session) => {
    session.on('stream', (stream) => stream.on('close', () => session.goaway(2, 1)));
  });
  asking = await askNode(http2, {
    onSettings: (streams) => {
      most = streams;
    },
    onPong: pong.resolve,
    onGoaway: (last, code) => goaway.resolve([last, code]),
    onClose: () => over.resolve(),
  });
  asking.session.ping();
  await pong.promise;
  expect(most).toBe(7);
  ask('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  expect(await goaway.promise).toEqual([1, 2]);
  await over.promise;
});

test('the connection breaks', async () => {
  const http2 = createServer();
  http2.on('stream', (stream) => stream.session?.destroy());
  asking = await askNode(http2);
  const it = ask('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  expect(await it.closed).toBeGreaterThan(0);
  expect(asking.session.closed).toBe(true);
});
