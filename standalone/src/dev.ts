import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, type ChildMessage, startChild } from './children.ts';
import type { DevOptions } from './options.ts';
import { createStatusLines } from './status-lines.ts';

const host = '127.0.0.1';

/**
 * Runs controller and data planes as processes of their own, as in a cluster, speaking gRPC over TLS
 * on loopback. Resolves with the exit code when it was told to stop or a process has failed.
 */
export async function dev(options: DevOptions): Promise<number> {
  const children: Child[] = [];
  const stop = Promise.withResolvers<number>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.resolve(0));
  const state = await mkdtemp(join(tmpdir(), 'gatehouse-'));
  try {
    const start = (...args: Parameters<typeof startChild>) => {
      const child = startChild(...args);
      children.push(child);
      void child.exited.then((code) => stop.resolve(code === 0 ? 1 : code));
      return child;
    };
    const starting = startAll(options, state, start).catch((error: Error) => {
      process.stderr.write(`Cannot start: ${error.message}\n`);
      stop.resolve(1);
    });
    const code = await stop.promise;
    await stopAll(children);
    await starting;
    return code;
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

async function startAll(
  options: DevOptions,
  state: string,
  start: typeof startChild,
): Promise<void> {
  const caFile = join(state, 'ca.pem');
  const env = { GATEHOUSE_TOKEN: randomBytes(32).toString('base64url') };
  const flags = ['--config-folder', options.folder, '--grpc-port', '0', '--admin-port', '0'];
  if (options.httpPort !== undefined) flags.push('--http-port', String(options.httpPort));
  const controller = start('controller', [...flags, '--tls-ca-out', caFile], env);
  const changedLines = createStatusLines();
  controller.process.on('message', (message: ChildMessage) => {
    if (message.type !== 'status') return;
    for (const line of changedLines(message)) process.stderr.write(`${line}\n`);
  });
  const { grpcPort, ports = [] } = await controller.message('listening');
  for (const port of ports) await checkFree(port);
  const planes: Child[] = [];
  for (let i = 0; i < options.dataPlanes; i++) {
    const adminPort = options.adminPort === 0 ? 0 : options.adminPort + i;
    const args = ['--controller', `https://localhost:${grpcPort}`, '--ca-file', caFile];
    args.push('--node', `dp-${i + 1}`, '--host', host, '--workers', String(options.workers));
    args.push('--admin-port', String(adminPort));
    planes.push(start('dataplane', args, env));
  }
  const ready = await Promise.all(planes.map((plane) => plane.message('ready')));
  const listening = await Promise.all(planes.map((plane) => plane.message('listening')));
  const refused = ready.find((one) => one.refused !== undefined)?.refused;
  const httpPort = ready[0]?.ports[0];
  if (httpPort === undefined) throw new Error(refused ?? 'no listener could be opened');
  process.stdout.write(`ready http=${host}:${httpPort} admin=${host}:${listening[0]?.adminPort}\n`);
}

/** Data planes share ports with one another, so another program on a port would go unnoticed. */
function checkFree(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'the port is in use' : error.message;
      reject(new Error(`cannot listen on ${host}:${port}: ${reason}`));
    });
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve()));
  });
}

async function stopAll(children: Child[]): Promise<void> {
  // Data planes first: they finish their requests while the controller is still there.
  for (const { process: child } of children.toReversed()) child.kill('SIGTERM');
  const killing = setTimeout(() => {
    for (const { process: child } of children) child.kill('SIGKILL');
  }, 12_000);
  await Promise.all(children.map(({ exited }) => exited));
  clearTimeout(killing);
}
