import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { processTree } from './process-tree.ts';

/** A program that runs in the background, pinned to one core. Disposing it ends it and its descendants. */
export type Child = AsyncDisposable & {
  name: string;
  pid: number;
  /** The last of what it printed on stdout and stderr. */
  printed(): string;
  /** Why it is gone, or undefined while it runs. */
  ended(): string | undefined;
};

const keptCharacters = 4000;
const graceMs = 5000;

function keepTail(child: ChildProcess): () => string {
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk: string) => {
      tail = (tail + chunk).slice(-keptCharacters);
    });
  }
  return () => tail.trim();
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

async function stop(child: ChildProcess, pid: number, gone: Promise<unknown>): Promise<void> {
  const tree = await processTree(pid);
  kill(pid, 'SIGTERM');
  const timer = new AbortController();
  await Promise.race([gone, sleep(graceMs, undefined, { signal: timer.signal })]);
  timer.abort();
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  // A supervisor that was killed leaves its workers behind. Their start was seen above, so their ids are known.
  const left = await Promise.all(tree.slice(1).map((stat) => processTree(stat.pid)));
  for (const [stat] of left) if (stat !== undefined) kill(stat.pid, 'SIGKILL');
  await gone;
}

export type ChildOptions = {
  environment?: Readonly<Record<string, string>>;
  /** A file for what it prints on stdout, which `printed` then does not have. */
  stdout?: string;
};

function spawnPinned(
  core: number,
  program: string,
  args: readonly string[],
  { environment, stdout }: ChildOptions,
): ChildProcess {
  const file = stdout === undefined ? undefined : openSync(stdout, 'a');
  try {
    return spawn('taskset', ['-c', String(core), program, ...args], {
      stdio: ['ignore', file ?? 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Starts a program pinned to a core. taskset replaces itself with the program, so the pid is the program's. */
export async function startChild(
  name: string,
  core: number,
  program: string,
  args: readonly string[],
  options: ChildOptions = {},
): Promise<Child> {
  const child = spawnPinned(core, program, args, options);
  await once(child, 'spawn');
  const { pid } = child;
  if (pid === undefined) throw new Error(`Cannot start "${name}": it has no process id`);
  const gone = once(child, 'exit');
  return {
    name,
    pid,
    printed: keepTail(child),
    ended() {
      if (child.signalCode !== null) return `ended by ${child.signalCode}`;
      return child.exitCode === null ? undefined : `exited with code ${child.exitCode}`;
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) await stop(child, pid, gone);
    },
  };
}
