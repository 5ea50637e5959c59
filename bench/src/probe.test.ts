import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findFault, type Target } from './probe.ts';
import { answerOf, grpcFrame } from './service.ts';

let server: Http2Server;
let target: Target;
let grpcStatus = '0';
beforeEach(async () => {
  server = createServer();
  server.on('stream', (stream: ServerHttp2Stream, { ':method': method }) => {
    stream.respond({ ':status': method === 'POST' ? 200 : 405 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': grpcStatus }));
    let body = '';
    stream.setEncoding('latin1').on('data', (chunk: string) => {
      body += chunk;
    });
    stream.on('end', () => stream.end(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  target = {
    port: (server.address() as AddressInfo).port,
    path: '/bench.Greeter/Hello',
    method: 'POST',
    downstream: 'http2',
    headers: { 'content-type': 'application/grpc', te: 'trailers' },
    body: grpcFrame('hello'),
  };
});
afterEach(async () => {
  server.close();
  await once(server, 'close');
});

test.each([
  ['0', 'hello', undefined],
  ['14', 'hello', '/bench.Greeter/Hello is answered with grpc-status 14'],
  ['0', 'other', "/bench.Greeter/Hello is answered with another body than the backend's"],
])('grpc-status %s, asked with hello and expected %s', async (status, expected, fault) => {
  grpcStatus = status;
  expect(await findFault(target, grpcFrame(expected))).toBe(fault);
});

test('a status of HTTP/2 is looked at first', async () => {
  const { body: _, ...get } = target;
  const fault = await findFault({ ...get, method: 'GET' }, '');
  expect(fault).toContain('is answered with status 405');
});

test('a port that speaks no HTTP/2 is a fault', async () => {
  expect(await findFault({ ...target, downstream: 'http1' }, '')).toContain('is not answered');
});

test('services answer what they say', () => {
  expect(grpcFrame('abc')).toBe('\0\0\0\0\u0003abc');
  expect(answerOf({ kind: 'file', bytes: 65_536 })).toHaveLength(65_536);
  expect(answerOf({ kind: 'sink' })).toHaveLength(142);
});
