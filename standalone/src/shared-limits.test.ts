import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFolder, respondRoute, type TestFolder } from './testing/folder.ts';
import { freePort, isFree } from './testing/free-port.ts';
import { type Gatehouse, startGatehouse } from './testing/gatehouse.ts';
import { get } from './testing/get.ts';
import { until } from './testing/until.ts';

let folder: TestFolder;
let gatehouse: Gatehouse;
let http: number;
let admin: number;

/** 11 an hour: each of two data planes has 6 of them. */
const policy = `apiVersion: gatehouse.dev/v1alpha1
kind: RateLimitPolicy
metadata: { name: shared }
spec:
  targetRefs: [{ kind: Route, name: hello }]
  limits:
    all: { rates: [{ limit: 11, window: 1h }], counters: [] }
  counting: { store: Shared }
`;

beforeAll(async () => {
  folder = await createFolder({ 'hello.yaml': respondRoute('hello', '/', 'hello') });
  http = await freePort();
  admin = await until('two free ports', async () => {
    const port = await freePort();
    return (await isFree(port + 1)) ? port : undefined;
  });
  const ports = ['--http-port', String(http), '--admin-port', String(admin)];
  gatehouse = startGatehouse(['dev', folder.path, ...ports, '--data-planes', '2']);
  await gatehouse.ready();
}, 60_000);
afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
}, 60_000);

const metric = async (port: number, name: string) =>
  new RegExp(`^${name} (\\d+)$`, 'm').exec((await get(port, '/metrics')).text)?.[1];

test('a shared limit lets through what it says, and at most one more for each further data plane', async () => {
  await folder.write('policy.yaml', policy);
  await gatehouse.line(/^RateLimitPolicy default\/shared: acknowledged by 2 of 2 data planes$/);
  await until('both know that they are two', async () => {
    const told = [admin, admin + 1].map((port) => metric(port, 'gatehouse_rate_limit_replicas'));
    return (await Promise.all(told)).every((number) => number === '2') || undefined;
  });
  // Each has a connection of its own: the kernel hands them to both.
  const answers = await Promise.all(Array.from({ length: 80 }, () => get(http, '/')));
  const allowed = answers.filter(({ status }) => status === 200).length;
  expect(allowed).toBeLessThanOrEqual(12);
  expect(allowed).toBeGreaterThanOrEqual(11);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(80 - allowed);
});
