import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Endpoint, startEndpoint } from './endpoint.ts';
import type { Mode } from './troubles.ts';

let endpoint: Endpoint;
beforeEach(async () => {
  endpoint = await startEndpoint();
});
afterEach(() => endpoint.be('killed'));

/** What comes back: text, or the code of the error, or "silence". */
async function ask(): Promise<string> {
  const socket = connect({ port: endpoint.port, host: '127.0.0.1' });
  try {
    socket.setEncoding('latin1');
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    const silence = new Promise<string>((resolve) => setTimeout(resolve, 300, 'silence').unref());
    const text = once(socket, 'data').then(([data]) => String(data));
    return await Promise.race([text, silence]);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'error';
  } finally {
    socket.destroy();
  }
}

it.each<[Mode, RegExp]>([
  ['well', /^HTTP\/1\.1 200 OK\r\n/],
  ['error', /^HTTP\/1\.1 500 /],
  ['garbage', /this is no answer/],
  ['reset', /^ECONNRESET$/],
  ['hung', /^silence$/],
  ['slow', /^silence$/],
  ['killed', /^ECONNREFUSED$/],
  ['restarted', /^HTTP\/1\.1 200 OK\r\n/],
])('an endpoint that is %s', async (mode, expected) => {
  await endpoint.be(mode);
  expect(await ask()).toMatch(expected);
  await endpoint.be('well');
  expect(await ask()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
});
