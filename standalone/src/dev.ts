import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, ChildEnded, type ChildMessage, type Role, startChild } from './children.ts';
import { runDataPlane } from './data-plane.ts';
import type { DevOptions } from './options.ts';
import { createStatusLines } from './status-lines.ts';

const host = '127.0.0.1';
/** A data plane lets its requests finish for up to 10 s; what still runs then is killed. */
const killAfter = 12_000;

type Processes = {
  start(role: Role, args: string[]): Child;
  stopping: AbortSignal;
};

/**
 * Runs controller and data planes as processes of their own, as in a cluster, speaking gRPC over TLS
 * on loopback. A data plane that ends is started again; when the controller ends, all stops. Resolves
 * with the exit code.
 * @throws Error when there is no such folder.
 */
export async function dev(options: DevOptions): Promise<number> {
  await checkFolder(options.folder);
  const stop = Promise.withResolvers<number>();
  const stopping = new AbortController();
  const running = new Map<Child, Role>();
  /** The first call counts. */
  const end = (code: number, reason?: string) => {
    if (stopping.signal.aborted) return;
    if (reason !== undefined) process.stderr.write(`${reason}\n`);
    stopping.abort();
    stop.resolve(code);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // Whoever asks twice does not want to wait for running requests.
      if (stopping.signal.aborted) killAll(running);
      end(0);
    });
  }
  const env = { GATEHOUSE_TOKEN: randomBytes(32).toString('base64url') };
  const start = (role: Role, args: string[]) => {
    const child = startChild(role, args, env);
    running.set(child, role);
    void child.ended.then((ending) => {
      running.delete(child);
      if (role === 'controller') end(1, reasonOf(new ChildEnded(role, ending)));
    });
    return child;
  };
  const state = await mkdtemp(join(tmpdir(), 'gatehouse-'));
  try {
    startAll(options, state, { start, stopping: stopping.signal }).catch((error: Error) =>
      end(1, reasonOf(error)),
    );
    const code = await stop.promise;
    await stopAll(running);
    return code;
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

/** A folder may come and go while it is watched; one that never was is a slip of the pen. */
async function checkFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => error.code);
  if (typeof found === 'object' && found.isDirectory()) return;
  const reason = found === 'ENOENT' ? 'there is no such folder' : 'it is not a readable folder';
  throw new Error(`Cannot run "${folder}": ${reason}`);
}

/** Undefined when a child has told the reason itself. */
function reasonOf(error: Error): string | undefined {
  if (error instanceof ChildEnded && error.explained) return undefined;
  return `Cannot run: ${error.message}`;
}

/** Resolves when all data planes are ready. */
async function startAll(options: DevOptions, state: string, processes: Processes): Promise<void> {
  const { start, stopping } = processes;
  const caFile = join(state, 'ca.pem');
  const flags = ['--config-folder', options.folder, '--grpc-port', '0', '--admin-port', '0'];
  if (options.httpPort !== undefined) flags.push('--http-port', String(options.httpPort));
  // What it does is told by the lines below; only what goes wrong is worth a line of its own.
  flags.push('--log-level', 'warn', '--tls-ca-out', caFile);
  const controller = start('controller', flags);
  const linesOf = createStatusLines(options.dataPlanes);
  controller.process.on('message', (message: ChildMessage) => {
    if (message.type !== 'status' || stopping.aborted) return;
    for (const line of linesOf(message)) process.stderr.write(`${line}\n`);
  });
  const { grpcPort, ports = [] } = await controller.message('listening');
  for (const port of ports) await checkFree(port);
  const planes = Array.from({ length: options.dataPlanes }, (_, i) => {
    const node = `dp-${i + 1}`;
    const args = ['--controller', `https://localhost:${grpcPort}`, '--ca-file', caFile];
    args.push(
      '--log-level',
      options.logLevel,
      '--node',
      node,
      '--host',
      host,
      '--workers',
      String(options.workers),
    );
    if (options.accessLog !== undefined) args.push('--access-log', options.accessLog);
    const startOne = (port: number) => start('dataplane', [...args, '--admin-port', String(port)]);
    const adminPort = options.adminPort === 0 ? 0 : options.adminPort + i;
    return runDataPlane(node, adminPort, startOne, stopping);
  });
  const ready = await Promise.all(planes);
  const httpPort = ready[0]?.ports[0];
  if (httpPort === undefined) {
    const refused = ready.find((one) => one.refused !== undefined)?.refused;
    throw new Error(refused ?? 'no listener could be opened');
  }
  process.stdout.write(`ready http=${host}:${httpPort} admin=${host}:${ready[0]?.adminPort}\n`);
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

/** Data planes first: they finish their requests while the controller is still there. */
async function stopAll(running: Map<Child, Role>): Promise<void> {
  const killing = setTimeout(killAll, killAfter, running);
  for (const role of ['dataplane', 'controller'] as const) {
    const children = [...running].filter(([, other]) => other === role).map(([child]) => child);
    for (const { process: child } of children) child.kill('SIGTERM');
    await Promise.all(children.map(({ ended }) => ended));
  }
  clearTimeout(killing);
}

function killAll(running: Map<Child, Role>): void {
  for (const { process: child } of running.keys()) child.kill('SIGKILL');
}
