import { rm } from 'node:fs/promises';
import { removeNode } from './node-remains.ts';
import {
  isKept,
  ownerOf,
  type RunDirectory,
  runDirectories,
  stopProcesses,
} from './run-directory.ts';

/** Ends a run: its processes, what its node made on the machine, its folder. Safe to repeat. */
export async function remove(directory: RunDirectory): Promise<void> {
  await stopProcesses(directory);
  await removeNode(directory);
  await rm(directory.path, { recursive: true, force: true });
}

/** Ends the runs whose owner is gone without having ended them, and those that were kept when asked to. */
export async function removeLeftovers({ kept = false } = {}): Promise<void> {
  for (const directory of await runDirectories()) {
    if ((await ownerOf(directory)) !== undefined) continue;
    if (kept || !(await isKept(directory))) await remove(directory);
  }
}
