import { readdir, readFile } from 'node:fs/promises';
import { waitFor } from './wait-for.ts';

/** A process by its id and its start, so that a later process of the same id is not taken for it. */
export type ProcessId = { pid: number; start: string };

export async function parentOf(pid: number): Promise<number | undefined> {
  const parent = (await statOf(pid))?.[1];
  return parent === undefined ? undefined : Number(parent);
}

/** The process with this id, or undefined when there is none (or only what is left of one). */
export async function processOf(pid: number): Promise<ProcessId | undefined> {
  const fields = await statOf(pid);
  const [state, start] = [fields?.[0], fields?.[19]];
  if (state === undefined || start === undefined || 'ZX'.includes(state)) return undefined;
  return { pid, start };
}

export async function runs({ pid, start }: ProcessId): Promise<boolean> {
  return (await processOf(pid))?.start === start;
}

/** Ends a process at once. */
export async function end(target: ProcessId): Promise<void> {
  if (await runs(target)) signal(target.pid, 'SIGKILL');
  const gone = async () => !(await runs(target));
  await waitFor(`the end of process ${target.pid}`, gone, { timeout: 10_000, interval: 20 });
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Processes that have `argument` among their arguments. */
export async function processesWith(argument: string): Promise<ProcessId[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const text = await readProc(pid, 'cmdline');
      return text?.split('\0').includes(argument) ? processOf(pid) : undefined;
    }),
  );
  return found.filter((process) => process !== undefined);
}

/** proc(5): the name, in parentheses, may hold anything; state, parent and so on follow. */
async function statOf(pid: number): Promise<string[] | undefined> {
  const text = await readProc(pid, 'stat');
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

async function readProc(pid: number, name: string): Promise<string | undefined> {
  return readFile(`/proc/${pid}/${name}`, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return undefined;
    throw error;
  });
}
