import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFolder, forwardRoute, respondRoute, type TestFolder } from './testing/folder.ts';
import { freePort } from './testing/free-port.ts';
import { startGatehouse } from './testing/gatehouse.ts';
import { get } from './testing/get.ts';
import { isRunning, type Process, processesBelow } from './testing/processes.ts';
import { until } from './testing/until.ts';

let folder: TestFolder;
/** Answers when it is told to. */
const slow = createServer();

beforeAll(async () => {
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  const { port } = slow.address() as AddressInfo;
  folder = await createFolder({
    'a.yaml': respondRoute('a', '/', 'a'),
    'slow.yaml': forwardRoute('slow', '/slow', port),
  });
});

afterAll(async () => {
  slow.close();
  slow.closeAllConnections();
  await folder[Symbol.asyncDispose]();
});

async function startReady() {
  const port = await freePort();
  const args = ['--http-port', String(port), '--admin-port', '0', '--data-planes', '2'];
  const gatehouse = startGatehouse(['dev', folder.path, ...args]);
  const { http, admin } = await gatehouse.ready();
  return { gatehouse, http, admin, below: await processesBelow(gatehouse.pid) };
}

const dataPlanesOf = (processes: Process[]) =>
  processes.filter(({ command }) => command.includes('--node dp-'));

/** Names of the processes that still run after ten seconds. */
async function leftOver(processes: Process[]): Promise<string[]> {
  let left = processes;
  await until('no process is left', async () => {
    const running = await Promise.all(left.map(({ pid }) => isRunning(pid)));
    left = left.filter((_, i) => running[i]);
    return left.length === 0 || undefined;
  }).catch(() => undefined);
  return left.map(({ command }) => command);
}

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends it with code 0 and leaves no process and no open port',
  { timeout: 60_000 },
  async (signal) => {
    const { gatehouse, http, below } = await startReady();
    expect(below).toHaveLength(3);
    await gatehouse.line(/^Route default\/a: acknowledged by 2 of 2/);
    const from = gatehouse.stderr().length;
    gatehouse.kill(signal);
    expect(await gatehouse.exited).toBe(0);
    expect(await leftOver(below)).toEqual([]);
    await expect(get(http, '/')).rejects.toThrow('ECONNREFUSED');
    // Stopping is no change of any object.
    expect(gatehouse.stderr().slice(from)).not.toContain('Route default/a');
  },
);

/** A request that the backend has got but not answered. */
async function runningRequest(http: number) {
  const arrived = once(slow, 'request') as Promise<[IncomingMessage, ServerResponse]>;
  const answer = get(http, '/slow').then(
    ({ text }) => text,
    ({ code }) => code,
  );
  const [, response] = await arrived;
  return { answer, finish: () => response.end('finished') };
}

function portCloses(http: number) {
  return until('no new connection is taken', () =>
    get(http, '/').then(
      () => undefined,
      () => true,
    ),
  );
}

test('a running request is finished first', { timeout: 60_000 }, async () => {
  const { gatehouse, http } = await startReady();
  await using _ = gatehouse;
  const { answer, finish } = await runningRequest(http);
  gatehouse.kill('SIGTERM');
  await portCloses(http);
  finish();
  expect(await answer).toBe('finished');
  expect(await gatehouse.exited).toBe(0);
});

test('a second signal does not wait for running requests', { timeout: 60_000 }, async () => {
  const { gatehouse, http } = await startReady();
  await using _ = gatehouse;
  const { answer } = await runningRequest(http);
  gatehouse.kill('SIGINT');
  await portCloses(http);
  const since = performance.now();
  gatehouse.kill('SIGINT');
  expect(await gatehouse.exited).toBe(0);
  // Without the second one it is ten seconds.
  expect(performance.now() - since).toBeLessThan(7000);
  expect(await answer).toMatch(/ECONNRESET|UND_ERR|EPIPE/);
});

test('when it is killed its processes end, too', { timeout: 60_000 }, async () => {
  const { gatehouse, below } = await startReady();
  gatehouse.kill('SIGKILL');
  expect(await gatehouse.exited).toBeNull();
  expect(await leftOver(below)).toEqual([]);
});

test('a data plane that is killed is started again', { timeout: 60_000 }, async () => {
  const { gatehouse, http, admin, below } = await startReady();
  await using _ = gatehouse;
  const first = dataPlanesOf(below).find(({ command }) => command.includes('--node dp-1'));
  process.kill(first?.pid ?? 0, 'SIGKILL');
  await gatehouse.line(/^Data plane dp-1 has ended \(SIGKILL\): starting it again$/);
  expect((await get(http, '/')).text).toBe('a');
  await until('its admin port answers again', () =>
    get(admin, '/ready').then(
      ({ status }) => status === 200 || undefined,
      () => undefined,
    ),
  );
  expect(dataPlanesOf(await processesBelow(gatehouse.pid))).toHaveLength(2);
  expect((await get(http, '/')).text).toBe('a');
});

test('when the controller is killed it ends with code 1 and says so', {
  timeout: 60_000,
}, async () => {
  const { gatehouse, below } = await startReady();
  const controller = below.find(({ command }) => command.includes('--config-folder'));
  process.kill(controller?.pid ?? 0, 'SIGKILL');
  expect(await gatehouse.exited).toBe(1);
  expect(gatehouse.stderr()).toContain('Cannot run: the controller has ended (SIGKILL)\n');
  expect(await leftOver(below)).toEqual([]);
});
