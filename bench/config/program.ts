import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { parseResidentBytes, parseStat } from '../src/process-tree.ts';

/** A program under measurement, as a process of its own. */
export type Program = {
  name: string;
  pid: number;
  /** When it was started, of performance.now(). */
  startedAt: number;
  /** Resolves with the message of that type which it sends to its parent. @throws when it ends before. */
  message<T>(type: string): Promise<T>;
  /** Resident memory, in MiB. */
  memory(): Promise<number>;
  /** CPU time used so far, in seconds. */
  cpu(): Promise<number>;
  stop(signal: NodeJS.Signals): Promise<void>;
};

const keptCharacters = 4000;

/** Starts a program of Node with a channel, so that it tells its ports. */
export async function startProgram(
  name: string,
  nodeArgs: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, nodeArgs, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, ...environment },
  });
  const exited = once(child, 'exit');
  const tail = keepTail(child);
  await once(child, 'spawn');
  const { pid } = child;
  if (pid === undefined) throw new Error(`Cannot start "${name}": it has no process id`);
  const messages: { type: string }[] = [];
  child.on('message', (message: { type: string }) => messages.push(message));
  const proc = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8');
  return {
    name,
    pid,
    startedAt,
    message<T>(type: string) {
      return new Promise<T>((resolve, reject) => {
        const found = messages.find((message) => message.type === type);
        if (found) resolve(found as T);
        child.on('message', (message: { type: string }) => {
          if (message.type === type) resolve(message as T);
        });
        exited.then(() => reject(new Error(`Cannot run "${name}": it ended: ${tail()}`)));
      });
    },
    memory: async () => parseResidentBytes(await proc('status')) / 2 ** 20,
    cpu: async () => parseStat(await proc('stat')).cpuSeconds,
    async stop(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await exited;
    },
  };
}

function keepTail(child: ChildProcess): () => string {
  let tail = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-keptCharacters);
  });
  return () => tail.trim();
}
