import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Child, startChild } from './children.ts';
import { createFolder, forwardRoute, type TestFolder } from './testing/folder.ts';
import { freePort } from './testing/free-port.ts';
import { get } from './testing/get.ts';

const env = { GATEHOUSE_TOKEN: 'a-token-for-this-test-only' };
const backend = createServer((_request, response) => response.end('from the backend'));
const children: Child[] = [];
let folder: TestFolder;
let state: TestFolder;

beforeAll(async () => {
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  const { port } = backend.address() as AddressInfo;
  folder = await createFolder({ 'route.yaml': forwardRoute('backend', '/', port) });
  state = await createFolder({});
});

afterAll(async () => {
  await Promise.all(children.map(stop));
  await folder[Symbol.asyncDispose]();
  await state[Symbol.asyncDispose]();
  backend.close();
  backend.closeAllConnections();
});

function start(role: 'controller' | 'dataplane', args: string[]): Child {
  const child = startChild(role, args, env);
  children.push(child);
  return child;
}

async function stop({ process: child, ended }: Child) {
  child.kill('SIGTERM');
  await ended;
}

async function startController(http: number) {
  const child = start('controller', [
    ...['--config-folder', folder.path, '--http-port', String(http)],
    ...['--grpc-port', '0', '--admin-port', '0', '--tls-ca-out', caFile(), '--log-level', 'warn'],
  ]);
  const { grpcPort = 0 } = await child.message('listening');
  return { child, grpcPort };
}

/** @param wait milliseconds for a controller, before the last known good config is served */
function startDataPlane(grpcPort: number, wait: number): Child {
  return start('dataplane', [
    ...['--controller', `https://localhost:${grpcPort}`, '--ca-file', caFile(), '--node', 'dp-1'],
    ...['--host', '127.0.0.1', '--admin-port', '0'],
    ...['--last-known-good', join(state.path, 'last-known-good')],
    ...['--last-known-good-wait-ms', String(wait)],
  ]);
}

const caFile = () => join(state.path, 'ca.pem');

test('a data plane keeps its last known good config', { timeout: 60_000 }, async () => {
  const http = await freePort();
  const first = await startController(http);
  const dataPlane = startDataPlane(first.grpcPort, 600_000);
  await dataPlane.message('ready');
  expect((await get(http, '/')).text).toBe('from the backend');
  await stop(dataPlane);
  await stop(first.child);
  await expect(get(http, '/')).rejects.toThrow('ECONNREFUSED');

  // No controller answers.
  const alone = startDataPlane(first.grpcPort, 300);
  const { adminPort } = await alone.message('listening');
  const since = performance.now();
  await alone.message('ready');
  expect(performance.now() - since).toBeLessThan(2000);
  expect(await get(http, '/')).toMatchObject({ status: 200, text: 'from the backend' });
  expect((await get(adminPort, '/ready')).status).toBe(200);
  expect((await get(adminPort, '/metrics')).text).toContain('gatehouse_controller_connected 0\n');
  await stop(alone);

  // A controller answers that has nothing newer: what is held is put in use by its word.
  const second = await startController(http);
  const current = startDataPlane(second.grpcPort, 600_000);
  await current.message('ready');
  expect((await get(http, '/')).text).toBe('from the backend');
});
