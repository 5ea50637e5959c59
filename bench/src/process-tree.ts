import { readdir, readFile } from 'node:fs/promises';

/** Linux counts CPU time in clock ticks of 1/100 s for user space, whatever the kernel's own tick is (proc(5), sysconf(3)). */
const ticksPerSecond = 100;

/** What this needs of a line of /proc/PID/stat. */
export type ProcessStat = { pid: number; parent: number; cpuSeconds: number };

/** Parses /proc/PID/stat. The name is in parentheses and may hold spaces and parentheses itself. */
export function parseStat(text: string): ProcessStat {
  const pid = Number.parseInt(text, 10);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    pid,
    parent: Number(fields[1]),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
  };
}

/** Parses the resident set size out of /proc/PID/status, in bytes; kernel threads and zombies have none. */
export function parseResidentBytes(text: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
}

async function readIfAlive(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    // A process may end between the listing and the reading: ENOENT, or ESRCH once the file is open.
    if (
      error instanceof Error &&
      'code' in error &&
      (error.code === 'ENOENT' || error.code === 'ESRCH')
    ) {
      return undefined;
    }
    throw error;
  }
}

/** The process and all that descend from it, the process itself first; empty when it has ended. */
export async function processTree(root: number): Promise<ProcessStat[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const texts = await Promise.all(names.map((name) => readIfAlive(`/proc/${name}/stat`)));
  const all = texts.filter((text) => text !== undefined).map(parseStat);
  const tree = all.filter((stat) => stat.pid === root);
  for (const member of tree) tree.push(...all.filter((stat) => stat.parent === member.pid));
  return tree;
}

/** CPU time that a process and its descendants have used so far, in seconds. */
export async function cpuSeconds(root: number): Promise<number> {
  return (await processTree(root)).reduce((sum, stat) => sum + stat.cpuSeconds, 0);
}

/** Resident memory of the largest process of a tree, in bytes: the one that does the work, not its supervisor. */
export async function largestResidentBytes(root: number): Promise<number> {
  const tree = await processTree(root);
  const texts = await Promise.all(tree.map((stat) => readIfAlive(`/proc/${stat.pid}/status`)));
  return Math.max(0, ...texts.map((text) => parseResidentBytes(text ?? '')));
}
