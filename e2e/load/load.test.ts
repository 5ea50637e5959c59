import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { Report } from './report.ts';
import { responseOf } from './response.ts';
import { startLoad } from './start.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function listening(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.close();
    if ('closeAllConnections' in server) server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

/** So much of a second is enough to see the rate. */
async function measured(port: number, rate = 500, ms = 500): Promise<Report> {
  const load = startLoad({ port, authority: 'a.example.com', rate, connections: 8, timeout: 300 });
  await pause(ms);
  return load.stop();
}

describe('a load', () => {
  it('counts what is answered, at the rate asked for', async () => {
    const hosts = new Set<string | undefined>();
    const port = await listening(
      createServer(({ headers }, response) => {
        hosts.add(headers.host);
        response.end('hello');
      }),
    );
    const report = await measured(port);
    expect(report.failures).toEqual([]);
    expect(report.answered).toBe(report.sent);
    expect(report.sent).toBeGreaterThan(100);
    // Seconds are told in tenths; a machine that is busy may let it fall behind, and catch up.
    expect(report.sent / report.seconds).toBeLessThan(700);
    expect(report.sent / report.seconds).toBeGreaterThan(250);
    expect(report.bodies).toEqual({ hello: report.sent });
    expect(hosts).toEqual(new Set(['a.example.com']));
  });

  it('counts each answer other than 200', async () => {
    let count = 0;
    const port = await listening(
      createServer((_, response) => {
        count += 1;
        response.statusCode = count % 5 === 0 ? 503 : 200;
        response.end('x');
      }),
    );
    const report = await measured(port);
    expect(report.failures.length).toBe(Math.floor(report.sent / 5));
    expect(report.failures[0]?.reason).toBe('status 503: x');
  });

  it('goes on over new connections when one is closed after an answer', async () => {
    const port = await listening(
      createServer((_, response) => {
        response.shouldKeepAlive = false;
        response.end('x');
      }),
    );
    expect((await measured(port)).failures).toEqual([]);
  });

  it('names a connection that is closed instead of an answer', async () => {
    const port = await listening(
      createTcpServer((socket) => socket.once('data', () => socket.end())),
    );
    const report = await measured(port, 100);
    expect(report.answered).toBe(0);
    expect(report.failures).toHaveLength(report.sent);
    expect(new Set(report.failures.map(({ reason, use }) => `${reason} ${use}`))).toEqual(
      new Set(['closed without an answer 1']),
    );
  });

  it('names a port where nobody listens', async () => {
    const server = createTcpServer();
    const port = await listening(server);
    server.close();
    const report = await measured(port, 100);
    expect(report.failures.length).toBe(report.sent);
    expect(report.failures[0]?.reason).toBe('ECONNREFUSED');
  });

  it('does not wait for answers that do not come', async () => {
    const sockets = new Set<Socket>();
    closing.push(() => {
      for (const socket of sockets) socket.destroy();
    });
    const port = await listening(createTcpServer((socket) => sockets.add(socket)));
    const report = await measured(port, 100);
    expect(report.sent).toBeGreaterThan(20);
    expect(report.failures.length).toBe(report.sent);
    expect(report.failures[0]?.reason).toBe('no answer in 300 ms');
  });
});

describe('responseOf', () => {
  it.each<[string, string, ReturnType<typeof responseOf>]>([
    ['half a head', 'HTTP/1.1 200 OK\r\ncontent-le', undefined],
    ['half a body', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na', undefined],
    [
      'an answer',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab',
      { status: 200, body: 'ab', keepAlive: true },
    ],
    [
      'the last answer',
      'HTTP/1.1 503 No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n',
      { status: 503, body: '', keepAlive: false },
    ],
  ])('%s', (_, received, expected) => {
    expect(responseOf(received)).toEqual(expected);
  });

  it.each([
    ['two answers', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1'],
    ['no length', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'],
    ['another protocol', 'SSH-2.0-x\r\n\r\n'],
  ])('refuses %s', (_, received) => {
    expect(() => responseOf(received)).toThrow();
  });
});
