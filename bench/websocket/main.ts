import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePorts } from '../src/ports.ts';
import { parseResidentBytes, processTree } from '../src/process-tree.ts';

/** `npm run bench:websocket`: what open WebSockets cost in memory. The bar is that of the data plane as a whole. */
const count = Number(process.env.CONNECTIONS ?? 5000);
const barMiB = 200;
const program = resolve(import.meta.dirname, '../../dist/gatehouse.mjs');

const resources = (port: number) => `apiVersion: gatehouse.dev/v1alpha1
kind: Route
metadata: { name: echo }
spec:
  rules: [{ name: all, upgrades: [websocket], backends: [{ kind: Upstream, name: echo }] }]
---
apiVersion: gatehouse.dev/v1alpha1
kind: Upstream
metadata: { name: echo }
spec: { endpoints: { static: [{ address: 127.0.0.1, port: ${port} }] } }
`;

/** Resident memory of each process of the gateway in MiB. */
async function memory(root: number): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  for (const { pid } of await processTree(root)) {
    found.set(pid, parseResidentBytes(await readFile(`/proc/${pid}/status`, 'utf8')) / 2 ** 20);
  }
  return found;
}

const folder = await mkdtemp(join(tmpdir(), 'gatehouse-websocket-'));
const peers = fork(join(import.meta.dirname, 'peers-program.ts'));
const [{ port: backend }] = (await once(peers, 'message')) as [{ port: number }];
await writeFile(join(folder, 'echo.yaml'), resources(backend));
const [port = 0, admin = 0] = await freePorts(2);
const args = [
  'dev',
  folder,
  '--http-port',
  `${port}`,
  '--admin-port',
  `${admin}`,
  '--workers',
  '1',
];
const gateway = spawn(process.execPath, [program, ...args], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const exited = once(gateway, 'exit');
try {
  await new Promise<void>((ready, fail) => {
    gateway.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('ready ')) ready();
    });
    void exited.then(() => fail(new Error('Cannot start the gateway: it has ended')));
  });
  const before = await memory(gateway.pid ?? 0);
  peers.send({ open: count, url: `ws://127.0.0.1:${port}/` });
  const [{ count: open }] = (await once(peers, 'message')) as [{ count: number }];
  const text = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text();
  const tunnels = Number(/^gateway_open_tunnels (\d+)$/m.exec(text)?.[1] ?? 0);
  const after = await memory(gateway.pid ?? 0);
  const [most = 0] = [...after.values()].sort((a, b) => b - a);
  const grown = [...after].map(([pid, now]) => now - (before.get(pid) ?? 0));
  const figures = {
    opened: open,
    tunnels,
    largestMiB: Math.round(most),
    grownKiBEach: Math.round((Math.max(...grown) * 1024) / count),
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  if (tunnels !== count || most > barMiB) process.exitCode = 1;
} finally {
  peers.disconnect();
  if (gateway.exitCode === null) gateway.kill('SIGTERM');
  await exited;
  await rm(folder, { recursive: true, force: true });
}
