import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Context } from './context.ts';

/** Starts a process on the core that has nothing else to do. */
export type StartThere = <T>(start: () => T) => Promise<T>;

/**
 * Gives a data plane and its backend a core of their own for as long as `work` takes, where there is
 * more than one.
 */
export async function onOwnCore<T>(
  context: Context,
  dataPlane: { pid: number },
  work: (startThere: StartThere) => Promise<T>,
): Promise<T> {
  const { stage, controllers, dataPlanes } = context;
  const cores = availableParallelism();
  if (cores < 2) return work(async (start) => start());
  const own = String(cores - 1);
  const rest = cores === 2 ? '0' : `0-${cores - 2}`;
  const near = [dataPlane.pid, stage.backend.pid];
  const others = [...controllers, ...dataPlanes].filter(({ pid }) => pid !== dataPlane.pid);
  const far = [
    ...(await controlPlanePids(stage.controlPlane.directory.path)),
    ...others.map(({ pid }) => pid),
    process.pid,
  ];
  try {
    await Promise.all([...near.map((pid) => pin(pid, own)), ...far.map((pid) => pin(pid, rest))]);
    return await work(async (start) => {
      // A child inherits where its parent runs.
      await pin(process.pid, own);
      const started = start();
      await pin(process.pid, rest);
      return started;
    });
  } finally {
    await Promise.all([...near, ...far].map((pid) => pin(pid, `0-${cores - 1}`)));
  }
}

/** All threads of a process. */
async function pin(pid: number, cores: string): Promise<void> {
  await promisify(execFile)('taskset', ['-a', '-c', '-p', cores, String(pid)]);
}

async function controlPlanePids(directory: string): Promise<number[]> {
  const folder = join(directory, 'processes');
  const files = await readdir(folder);
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return texts.map((text) => (JSON.parse(text) as { pid: number }).pid);
}
