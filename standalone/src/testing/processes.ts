import { readdir, readFile } from 'node:fs/promises';

export type Process = { pid: number; parent: number; command: string };

/** All processes below one, from /proc. Those that have ended but were not waited for do not count. */
export async function processesBelow(pid: number): Promise<Process[]> {
  const all = await allProcesses();
  const below: Process[] = [];
  const parents = new Set([pid]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const one of all) {
      if (!parents.has(one.parent) || parents.has(one.pid)) continue;
      parents.add(one.pid);
      below.push(one);
      grown = true;
    }
  }
  return below;
}

export async function isRunning(pid: number): Promise<boolean> {
  return (await processOf(pid)) !== undefined;
}

async function allProcesses(): Promise<Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map(processOf));
  return found.filter((one) => one !== undefined);
}

/** Undefined when there is no such process any more. */
async function processOf(pid: number): Promise<Process | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8');
    // The name in parentheses may hold anything; after it come the state and the parent.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z'
      ? undefined
      : { pid, parent: Number(parent), command: command.replaceAll('\0', ' ') };
  } catch {
    return undefined;
  }
}
