import { type Child, startChild } from './child.ts';
import { loadCore } from './cores.ts';
import { execute, findVersion } from './execute.ts';

/** A Redis that a scenario counts in. */
export type BenchRedis = { port: number; child: Child };

const patience = 5000;

/** What a scenario with a Redis takes; undefined when it is there. */
export async function missingRedis(): Promise<string | undefined> {
  const version = await findVersion('redis-server', ['--version'], /v=(\S+)/);
  return version === undefined ? 'install the Debian package redis-server' : undefined;
}

/** Starts it beside load and backend, with nothing on disk. */
export async function startBenchRedis(
  folder: string,
  port: number,
  signal: AbortSignal,
): Promise<BenchRedis> {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  const child = await startChild('redis-server', loadCore, 'redis-server', args);
  const end = performance.now() + patience;
  for (;;) {
    const { stdout } = await execute('redis-cli', ['-p', String(port), 'PING'], { signal });
    if (stdout.trim() === 'PONG') return { port, child };
    if (performance.now() < end && child.ended() === undefined) continue;
    await child[Symbol.asyncDispose]();
    throw new Error(`Cannot start redis-server: ${child.printed()}`);
  }
}
