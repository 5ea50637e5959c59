import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check } from '../../examples/check.ts';
import { echoBackends } from '../../examples/echo/echo.ts';
import { listenAll } from '../../examples/listen.ts';
import { shopBackends } from '../../examples/shop/backends/shop.ts';
import type { Source, StartSource } from '../../examples/source.ts';
import { freePort, isFree } from '../../standalone/src/testing/free-port.ts';
import { startGatehouse } from '../../standalone/src/testing/gatehouse.ts';
import { checkAdmin, checkRedaction } from './admin-checks.ts';
import { copyOf } from './copy.ts';
import { curlLine } from './curl.ts';
import { acknowledged, checkEdits } from './edit-checks.ts';
import { judge } from './judge.ts';
import { createReport, type Report } from './report.ts';
import { routeTable } from './route-table.ts';
import { statusOf } from './status.ts';
import { authoritiesOf, httpsPort, type Target } from './target.ts';

const write = (line: string) => void process.stdout.write(`${line}\n`);

/** Asserts everything that the examples promise. Returns the exit code. */
export async function runChecks(examples: string): Promise<number> {
  const report = createReport(write);
  const backends = await listenAll(new Map([...shopBackends(), ...echoBackends()]), true);
  try {
    const ports = new Map(backends.ports).set(httpsPort, await freePort());
    await checkShop(report, join(examples, 'shop'), ports);
    for (const name of await otherExamples(examples)) {
      await checkExample(report, join(examples, name), ports);
    }
  } finally {
    await backends.close();
  }
  const { passed, failed } = report.counts();
  write(`\n${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/** Folders with a check.ts, but for the shop. */
async function otherExamples(examples: string): Promise<string[]> {
  const files = await readdir(examples, { recursive: true });
  return files
    .filter((file) => /^[\w-]+\/check\.ts$/.test(file))
    .map((file) => file.slice(0, file.indexOf('/')))
    .filter((name) => name !== 'shop')
    .sort();
}

async function checkShop(report: Report, example: string, ports: Map<number, number>) {
  await using copy = await copyOf(example, ports);
  const { folder, files } = copy;
  const http = await freePort();
  const args = ['--http-port', String(http), '--admin-port', '0', '--data-planes', '2'];
  await using gatehouse = startGatehouse(['dev', folder, ...args]);
  const target: Target = { http, ports, authorities: [] };
  report.heading('shop');
  let adminPort = 0;
  const ready = await report.check('two data planes are ready', async () => {
    const found = await gatehouse.ready();
    adminPort = found.admin;
    return found.http === http ? [] : [`expected port ${http}, found ${found.http}`];
  });
  if (!ready) return;
  for (const line of await routeTable(folder, files)) write(`          ${line}`);
  for (const name of ['users', 'orders', 'products', 'recommendations', 'site']) {
    await report.check(`Route ${name} is ${acknowledged}`, async () => {
      const status = await statusOf(gatehouse, `Route default/${name}`);
      return status === acknowledged ? [] : [`found "${status}"`];
    });
  }
  await checkRequests(report, example, target);
  await checkAdmin(report, target, adminPort);
  await checkEdits(report, gatehouse, target, folder);
  await report.check('SIGTERM stops everything', async () => {
    gatehouse.kill('SIGTERM');
    const code = await gatehouse.exited;
    const mistakes = code === 0 ? [] : [`exit code: expected 0, found ${code}`];
    for (const port of [http, adminPort]) {
      if (!(await isFree(port))) mistakes.push(`expected port ${port} to be free, it is in use`);
    }
    return mistakes;
  });
}

async function checkExample(report: Report, example: string, backends: Map<number, number>) {
  const source = await sourceOf(example, backends);
  try {
    const ports = new Map([...backends, ...(source?.ports ?? [])]);
    await checkRunning(report, example, ports);
  } finally {
    await source?.close();
  }
}

/** What tells an example its endpoints, where it has something. */
async function sourceOf(
  example: string,
  ports: ReadonlyMap<number, number>,
): Promise<Source | undefined> {
  const file = join(example, 'source.ts');
  const missing = await access(file).catch((error: NodeJS.ErrnoException) => error.code);
  if (missing === 'ENOENT') return undefined;
  const { startSource } = (await import(file)) as { startSource: StartSource };
  return startSource(ports);
}

async function checkRunning(report: Report, example: string, ports: Map<number, number>) {
  await using copy = await copyOf(example, ports);
  const { folder, files } = copy;
  const http = await freePort();
  const args = ['--http-port', String(http), '--admin-port', '0'];
  await using gatehouse = startGatehouse(['dev', folder, ...args]);
  report.heading(example.slice(example.lastIndexOf('/') + 1));
  let adminPort = 0;
  const ready = await report.check('it is ready', async () => {
    adminPort = (await gatehouse.ready()).admin;
    return [];
  });
  if (!ready) return;
  const target: Target = { http, ports, authorities: await authoritiesOf(folder, files) };
  await checkRequests(report, example, target);
  if (target.authorities.length > 0) await checkRedaction(report, target, adminPort);
}

async function checkRequests(report: Report, example: string, target: Target) {
  for (const check of await checksOf(example)) {
    await report.check(`${check.shows}: ${curlLine(check, target)}`, () => judge(check, target));
  }
}

export async function checksOf(example: string): Promise<Check[]> {
  const module = (await import(join(example, 'check.ts'))) as { checks: Check[] };
  return module.checks;
}
