import { join } from 'node:path';
import { listenAll } from '../../examples/listen.ts';
import { shopBackends } from '../../examples/shop/backends/shop.ts';
import { freePort, isFree } from '../../standalone/src/testing/free-port.ts';
import { startGatehouse } from '../../standalone/src/testing/gatehouse.ts';
import { copyOf, yamlFiles } from './copy.ts';
import { curlLine } from './curl.ts';
import { columns, routeTable } from './route-table.ts';
import { checksOf } from './run-checks.ts';
import { statusOf } from './status.ts';

const write = (line = '') => void process.stdout.write(`${line}\n`);

/** Runs the shop behind two data planes until Ctrl-C. Returns the exit code. */
export async function runDemo(examples: string): Promise<number> {
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  const example = join(examples, 'shop');
  const wanted = shopBackends();
  const takenPorts = await taken([...wanted.keys()]);
  const backends = await listenAll(wanted, takenPorts.length > 0);
  const http = (await isFree(8080)) ? 8080 : await freePort();
  const adminTaken = await taken([9901, 9902]);
  if (takenPorts.length > 0) write(`Ports in use: ${takenPorts}. The backends take others.`);
  if (http !== 8080) write(`Port 8080 is in use: the gateway listens on ${http}.`);
  if (adminTaken.length > 0) write(`Ports in use: ${adminTaken}. The admin ports are others.`);

  await using copy = takenPorts.length > 0 ? await copyOf(example, backends.ports) : undefined;
  const folder = copy?.folder ?? example;
  const args = ['dev', folder, '--http-port', String(http), '--data-planes', '2'];
  args.push('--admin-port', adminTaken.length > 0 ? '0' : '9901');
  await using gatehouse = startGatehouse(args);
  try {
    const { admin } = await Promise.race([gatehouse.ready(), stopped.then(interrupted)]);
    const files = await yamlFiles(folder);
    write('\nRoutes:');
    for (const line of await routeTable(folder, files)) write(`  ${line}`);
    write('\nTheir status:');
    const names = ['users', 'orders', 'products', 'recommendations', 'site'];
    const rows = await Promise.all(
      names.map(async (name) => [name, await statusOf(gatehouse, `Route default/${name}`)]),
    );
    for (const line of columns(rows)) write(`  ${line}`);
    const target = { http, ports: backends.ports, authorities: [] };
    write('\nTry:');
    for (const check of await checksOf(example)) {
      write(`  # ${check.shows}`);
      write(`  ${curlLine(check, target)}`);
    }
    write('  # what the first data plane serves, and what it has counted');
    write(`  curl http://localhost:${admin}/config`);
    write(`  curl http://localhost:${admin}/metrics`);
    write(`\nEdit ${join(folder, 'users.yaml')} and try again. Ctrl-C stops everything.\n`);
    gatehouse.follow((text) => void process.stdout.write(text));
    await Promise.race([stopped, gatehouse.exited]);
  } catch (error) {
    if (error !== stopRequest) throw error;
  } finally {
    gatehouse.kill('SIGTERM');
    await gatehouse.exited;
    await backends.close();
  }
  return (await gatehouse.exited) ?? 1;
}

const stopRequest = new Error('stopped before it was ready');

function interrupted(): never {
  throw stopRequest;
}

async function taken(ports: number[]): Promise<number[]> {
  const free = await Promise.all(ports.map(isFree));
  return ports.filter((_, i) => !free[i]);
}
