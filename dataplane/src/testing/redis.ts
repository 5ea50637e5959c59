import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe } from 'vitest';
import { missingRedis, redisProgram } from './redis-program.ts';

/** A redis-server of its own on a free port of 127.0.0.1, without anything on disk. */
export type TestRedis = {
  port: number;
  /** "127.0.0.1:<port>" */
  address: string;
  process: ChildProcess;
  /** A client that asks it anything. */
  client: Redis;
  /** SIGSTOP and SIGCONT: it keeps its connections and answers nothing meanwhile. */
  pause(): void;
  resume(): void;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Starts it anew on the same port, empty. */
  restart(): Promise<void>;
  close(): Promise<void>;
};

/**
 * Tests that need a real redis-server. Where there is none they fail on CI with what to install; a
 * developer is told once by the run and goes without them.
 */
export const describeRedis = describe.skipIf(missingRedis() !== undefined && !process.env.CI);

/**
 * @param flags further ones, e.g. ["--requirepass", "x"].
 * @param options `sentinel`: a file by which it runs as a sentinel instead.
 * @throws Error that says what to install
 */
export async function startRedis(
  flags: readonly string[] = [],
  connect: { username?: string; password?: string; tls?: { ca: string } } = {},
  { sentinel }: { sentinel?: string } = {},
): Promise<TestRedis> {
  const missing = missingRedis();
  if (missing !== undefined) throw new Error(missing);
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-redis-'));
  const port = await freePort();
  const ports = connect.tls ? ['--port', '0', '--tls-port', String(port)] : ['--port', `${port}`];

  async function launch() {
    const fixed = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
    const words =
      sentinel === undefined
        ? [...ports, ...fixed, ...flags]
        : [sentinel, '--sentinel', ...ports, '--bind', '127.0.0.1', ...flags];
    const child = spawn(redisProgram(), words, {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    endWithUs(child);
    await new Promise<void>((resolve, reject) => {
      let text = '';
      const read = (chunk: Buffer) => {
        text += chunk;
        if (/Ready to accept|Running mode=sentinel|\+monitor/.test(text)) resolve();
      };
      child.stdout?.on('data', read);
      child.stderr?.on('data', read);
      child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}: ${text}`)));
    });
    return child;
  }

  let child = await launch();
  const client = new Redis({
    port,
    host: '127.0.0.1',
    lazyConnect: true,
    protocol: 2,
    retryStrategy: () => 20,
    ...connect,
  });
  // Whoever asks hears of what fails.
  client.on('error', () => undefined);

  async function kill() {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  return {
    port,
    address: `127.0.0.1:${port}`,
    get process() {
      return child;
    },
    client,
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    kill,
    async restart() {
      await kill();
      child = await launch();
    },
    async close() {
      client.disconnect();
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Ends a server with this process, however that ends: its end of a pipe is closed then. */
function endWithUs(server: ChildProcess) {
  const watcher = spawn('sh', ['-c', 'cat; kill -9 "$0"', String(server.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watcher.unref();
  server.once('exit', () => watcher.kill('SIGKILL'));
}

/** Runs redis-cli. */
export function redisCli(port: number, ...words: string[]): string {
  return execFileSync('redis-cli', ['-p', String(port), ...words], { encoding: 'utf8' });
}

/** A port nobody listens on just now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('Cannot find a free port');
  return address.port;
}
