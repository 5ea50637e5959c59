import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromBinary } from '@bufbuild/protobuf';
import { Kind, ListenerSchema } from '@gatehouse/snapshot';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { coalesce } from './coalesce.ts';
import type { CommonOptions, FolderOptions } from './options.ts';
import { bareDataPlane } from './push/testing/bare-data-plane.ts';
import { type Listeners, type Running, run } from './run.ts';
import type { Summary } from './status/summary.ts';

const token = 'a-token-of-the-fleet';
const opened: { close(): unknown }[] = [];
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'run-'));
});
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
  await rm(folder, { recursive: true, force: true });
});

const gateway = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: main }
spec:
  gatewayClassName: gatehouse
  listeners:
    - { name: http, port: 80, protocol: HTTP }
    - { name: other, port: 81, protocol: HTTP }
    - { name: same, port: 80, protocol: HTTP, hostname: example.com }
`;
const routeText = (body: string) => `apiVersion: gatehouse.dev/v1alpha1
kind: Route
metadata: { name: hello }
spec:
  rules:
    - name: all
      respond: { status: 200, body: ${body} }
`;

const options = (): CommonOptions & FolderOptions => ({
  configFolder: folder,
  grpcHost: '127.0.0.1',
  grpcPort: 0,
  adminHost: '127.0.0.1',
  adminPort: 0,
  token,
  tls: undefined,
  caOut: join(folder, 'ca.pem'),
  httpPort: undefined,
  logLevel: 'silent',
});

async function start(other: Partial<CommonOptions & FolderOptions> = {}) {
  const onProblems = vi.fn<Listeners['onProblems']>();
  const summaries: Summary[] = [];
  const running = await run(
    { ...options(), ...other },
    { log: pino({ level: 'silent' }), onProblems, onSummary: (summary) => summaries.push(summary) },
  );
  opened.push(running);
  const admin = `http://127.0.0.1:${running.adminPort}`;
  const get = async (path: string) => (await fetch(admin + path)).json() as Promise<unknown>;
  return { running, admin, get, onProblems, summaries };
}

async function connect(running: Running) {
  const dp = bareDataPlane(
    { port: running.grpcPort, ca: await readFile(join(folder, 'ca.pem'), 'utf8') },
    token,
  );
  opened.push(dp);
  dp.send({ case: 'hello', value: { node: 'dp-1', zone: 'z1', release: '1' } });
  const take = async () => {
    const update = await dp.next();
    dp.send({ case: 'ack', value: { lane: update.lane, version: update.version } });
    return update;
  };
  return { take };
}

describe('a folder', () => {
  test('reaches a data plane, and its acknowledgement reaches the status', async () => {
    await writeFile(join(folder, 'routes.yaml'), `${gateway}---\n${routeText('one')}`);
    const { running, get, summaries } = await start();
    const dp = await connect(running);
    const first = await dp.take();
    const second = await dp.take();
    expect([first.lane, second.lane]).toEqual([2, 1]);
    expect(second.put.map(({ name }) => name)).toContain('default/hello');
    await vi.waitFor(async () =>
      expect(await get('/status')).toMatchObject({
        configVersion: second.version,
        dataPlanes: [
          {
            node: 'dp-1',
            zone: 'z1',
            release: '1',
            config: { version: second.version },
            endpoints: { version: first.version },
          },
        ],
      }),
    );
    const message = 'acknowledged by 1 of 1 data planes';
    await vi.waitFor(() =>
      expect(summaries.at(-1)?.objects).toContainEqual(
        expect.objectContaining({ kind: 'Route', name: 'hello', programmed: true, message }),
      ),
    );
  });

  test('that changes is pushed; a broken edit is a problem and changes nothing', async () => {
    const file = join(folder, 'routes.yaml');
    await writeFile(file, routeText('one'));
    const { running, admin, get, onProblems } = await start();
    const dp = await connect(running);
    await dp.take();
    await dp.take();
    await writeFile(file, routeText('two'));
    await fetch(`${admin}/reload`, { method: 'POST' });
    expect((await dp.take()).put.map(({ name }) => name)).toEqual(['default/hello']);

    await writeFile(file, routeText('[three'));
    const reloaded: unknown = await (await fetch(`${admin}/reload`, { method: 'POST' })).json();
    const text = expect.stringMatching(/^routes.yaml:\d+:\d+/);
    const problems = expect.arrayContaining([
      expect.objectContaining({ file: 'routes.yaml', text }),
    ]);
    expect(reloaded).toMatchObject({ problems });
    expect(await get('/problems')).toMatchObject({ problems });
    expect(onProblems).toHaveBeenCalledTimes(1);
    expect(await get('/status')).toMatchObject({ objects: [{ name: 'hello' }] });
  });

  test('that is empty makes an empty snapshot that is ready', async () => {
    const { admin, get } = await start();
    expect((await fetch(`${admin}/ready`)).status).toBe(200);
    expect(await get('/status')).toMatchObject({ objects: [], dataPlanes: [] });
  });
});

test.each([
  [undefined, [80, 81], [80, 81, 80]],
  [8080, [81, 8080], [8080, 81, 8080]],
])('with --http-port %s the listeners have the ports %j', async (httpPort, ports, all) => {
  await writeFile(join(folder, 'gateway.yaml'), gateway);
  const { running } = await start({ httpPort });
  expect(running.ports).toEqual(ports);
  const dp = await connect(running);
  await dp.take();
  const { put } = await dp.take();
  const listeners = put.filter(({ kind }) => kind === Kind.LISTENER);
  const byName = new Map(
    listeners.map(({ name, body }) => [name, fromBinary(ListenerSchema, body)]),
  );
  const names = ['http', 'other', 'same'].map((name) => `default/main/${name}`);
  expect(names.map((name) => byName.get(name)?.port)).toEqual(all);
});

describe('the admin port', () => {
  test.each([
    ['GET', '/health', 200],
    ['HEAD', '/health', 200],
    ['GET', '/ready?x=1', 200],
    ['POST', '/health', 405],
    ['GET', '/reload', 405],
    ['GET', '/nothing', 404],
  ])('answers %s %s with %i', async (method, path, status) => {
    const { admin } = await start();
    expect((await fetch(admin + path, { method })).status).toBe(status);
  });

  test('serves metrics', async () => {
    const { admin, running } = await start();
    const dp = await connect(running);
    await dp.take();
    const response = await fetch(`${admin}/metrics`);
    expect(response.headers.get('content-type')).toMatch('text/plain; version=0.0.4');
    const text = await response.text();
    for (const line of [
      /^gatehouse_snapshot_info\{lane="config",version="[0-9a-f]{32}"\} 1$/m,
      /^gatehouse_compile_duration_seconds_count 1$/m,
      /^gatehouse_data_planes 1$/m,
      /^gatehouse_nacks_total 0$/m,
      /^gatehouse_held_back_resources 0$/m,
      /^process_resident_memory_bytes \d+$/m,
    ]) {
      expect(text).toMatch(line);
    }
  });
});

describe('the process', () => {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  function child(...args: string[]) {
    const started = spawn(process.execPath, [main, '--config-folder', folder, ...args], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, GATEHOUSE_TOKEN: token },
    });
    opened.push({ close: () => started.kill('SIGKILL') });
    let text = '';
    started.stderr?.on('data', (chunk) => (text += chunk));
    const exited = new Promise<number | null>((resolve) => started.once('exit', resolve));
    return { started, exited, text: () => text };
  }

  test.each(['SIGTERM', 'SIGINT'] as const)('tells its ports and ends on %s', async (signal) => {
    await writeFile(join(folder, 'routes.yaml'), routeText('one'));
    const { started, exited } = child('--grpc-port', '0', '--admin-port', '0');
    const messages: object[] = [];
    started.on('message', (message: object) => messages.push(message));
    const port = expect.any(Number);
    await vi.waitFor(
      () => {
        expect(messages).toContainEqual(
          expect.objectContaining({ type: 'listening', grpcPort: port, adminPort: port }),
        );
        expect(messages).toContainEqual(
          expect.objectContaining({ type: 'status', dataPlanes: 0, lines: [] }),
        );
      },
      { timeout: 10_000 },
    );
    const begin = performance.now();
    started.kill(signal);
    expect(await exited).toBe(0);
    expect(performance.now() - begin).toBeLessThan(2000);
  });

  test('says which port is in use and ends with 1', async () => {
    const owner = createServer();
    await new Promise<void>((resolve) => owner.listen(0, '127.0.0.1', resolve));
    opened.push(owner);
    const address = owner.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const { exited, text } = child('--grpc-port', String(port), '--admin-port', '0');
    expect(await exited).toBe(1);
    expect(text()).toBe(
      `Cannot listen on port ${port}: it is in use. Stop its owner or choose another port\n`,
    );
  });

  test('says what is wrong with its options and ends with 1', async () => {
    const { exited, text } = child('--grpc-port', 'x');
    expect(await exited).toBe(1);
    expect(text()).toBe('--grpc-port must be a port from 0 to 65535, not "x". See --help\n');
  });
});

test('coalesced work that takes long rests longer', () => {
  vi.useFakeTimers();
  const work = vi.fn(() => vi.advanceTimersByTime(50));
  const coalesced = coalesce(work, 100, 0.1);
  coalesced.soon();
  vi.advanceTimersByTime(1);
  coalesced.soon();
  vi.advanceTimersByTime(440);
  expect(work).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(20);
  expect(work).toHaveBeenCalledTimes(2);
  vi.useRealTimers();
});

test('coalesced work is done once for all who ask, then not before the interval', () => {
  vi.useFakeTimers();
  const work = vi.fn();
  const coalesced = coalesce(work, 100);
  for (let n = 0; n < 5; n++) coalesced.soon();
  vi.advanceTimersByTime(1);
  expect(work).toHaveBeenCalledTimes(1);
  coalesced.soon();
  vi.advanceTimersByTime(90);
  expect(work).toHaveBeenCalledTimes(1);
  coalesced.flush();
  expect(work).toHaveBeenCalledTimes(2);
  coalesced.flush();
  coalesced.soon();
  coalesced.stop();
  vi.advanceTimersByTime(1000);
  expect(work).toHaveBeenCalledTimes(2);
  vi.useRealTimers();
});
