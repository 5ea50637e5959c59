import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lane } from '@gatehouse/snapshot';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { parseOptions } from './options.ts';
import { type DataPlane, run } from './run.ts';
import { testCertificate, testController, updateOf } from './subscribe/testing/controller.ts';
import { connectTo } from './testing/client.ts';
import { reservePort } from './testing/gateway.ts';
import { lanesOf } from './testing/snapshot.ts';

const request = 'GET / HTTP/1.1\r\nhost: shop\r\n\r\n';
const minutes = 60_000;
const left: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of left.splice(0).reverse()) await end();
});

/** A data plane that serves "hello" on `port`. */
async function start(flags: string[]): Promise<{ dataPlane: DataPlane; port: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-run-'));
  left.push(() => rm(folder, { recursive: true }));
  const pem = await testCertificate();
  const caFile = join(folder, 'ca.crt');
  await writeFile(caFile, pem.cert);
  const controller = await testController(pem);
  left.push(() => controller.close());
  const { port, release } = await reservePort();
  const args = ['--controller', controller.url, '--ca-file', caFile, '--host', '127.0.0.1'];
  const options = parseOptions([...args, '--admin-port', '0', ...flags], { GATEHOUSE_TOKEN: 'x' });
  const dataPlane = await run(options, pino({ level: 'silent' }));
  left.push(async () => {
    void dataPlane.close();
    await dataPlane.close();
  });
  const stream = await controller.stream();
  const body = new TextEncoder().encode('hello');
  const { config, endpoints } = lanesOf(
    { rules: [{ name: 'all', action: { case: 'respond', value: { status: 200, body } } }] },
    port,
  );
  for (const [lane, set] of [
    [Lane.CONFIG, config],
    [Lane.ENDPOINTS, endpoints],
  ] as const) {
    stream.send(updateOf(lane, undefined, set));
    await stream.answer();
  }
  await dataPlane.ready;
  await release();
  return { dataPlane, port };
}

async function readiness({ adminPort }: DataPlane): Promise<number> {
  return (await fetch(`http://127.0.0.1:${adminPort}/ready`)).status;
}

test('a data plane that leaves serves on for the delay and asks its clients to connect anew', async () => {
  const { dataPlane, port } = await start(['--drain-delay-ms', String(10 * minutes)]);
  const known = await connectTo(port);
  known.write(request);
  expect((await known.message()).head).not.toMatch(/connection: close/i);
  const idle = await connectTo(port);
  expect(await readiness(dataPlane)).toBe(200);

  const closed = dataPlane.close();
  await expect.poll(() => readiness(dataPlane)).toBe(503);
  expect([known.open, idle.open]).toEqual([true, true]);
  known.write(request);
  expect((await known.message()).head).toMatch(/^HTTP\/1\.1 200 .*connection: close/is);
  const late = await connectTo(port);
  late.write(request);
  expect((await late.message()).head).toMatch(/^HTTP\/1\.1 200 .*connection: close/is);
  expect(idle.open).toBe(true);

  void dataPlane.close();
  expect(await idle.close()).toBe('end');
  for (const peer of [known, late, idle]) peer.end();
  await closed;
  await expect(connectTo(port)).rejects.toThrow('ECONNREFUSED');
});

test('the delay ends by itself', async () => {
  const { dataPlane, port } = await start(['--drain-delay-ms', '1']);
  await dataPlane.close();
  await expect(connectTo(port)).rejects.toThrow('ECONNREFUSED');
});

test('a data plane that serves nothing yet does not wait', async () => {
  const controller = 'https://127.0.0.1:1';
  const flags = ['--admin-port', '0', '--drain-delay-ms', String(10 * minutes)];
  const options = parseOptions(['--controller', controller, ...flags], {});
  const dataPlane = await run(options, pino({ level: 'silent' }));
  await dataPlane.close();
  await expect(readiness(dataPlane)).rejects.toThrow('fetch failed');
});
