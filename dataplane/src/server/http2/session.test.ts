import { connect } from 'node:http2';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RawBackend, startBackend } from '../../testing/backend.ts';
import { startGatewayTo, type TestGateway } from '../../testing/gateway.ts';

let backend: RawBackend;
let gateway: TestGateway;
beforeEach(async () => {
  backend = await startBackend();
  gateway = await startGatewayTo(backend);
});
afterEach(async () => {
  await gateway.close();
  await backend.close();
});

test('a request by prior knowledge', async () => {
  const client = connect(`http://127.0.0.1:${gateway.port}`);
  const stream = client.request({ ':path': '/a' });
  let status = 0;
  let text = '';
  stream.on('response', (fields) => {
    status = fields[':status'] ?? 0;
  });
  stream.setEncoding('latin1');
  stream.on('data', (part: string) => {
    text += part;
  });
  await new Promise((resolve) => stream.on('close', resolve));
  expect([status, text]).toEqual([200, 'ok']);
  expect(backend.requests[0]?.raw).toContain('via: 2.0 gatehouse\r\n');
  client.close();
});
