import { readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from './cache.ts';
import { removeChains } from './chains.ts';
import { execute, run } from './execute.ts';
import { bridge, containerdSocket, nodeAddress, nodeMark } from './node-names.ts';
import { parentOf, processesWith, signal } from './processes.ts';
import type { RunDirectory } from './run-directory.ts';
import { waitFor } from './wait-for.ts';

/** Takes off the machine what a node leaves outside its run directory. Nothing when there was no node. */
export async function removeNode({ path }: RunDirectory): Promise<void> {
  if (!(await exists(nodeMark(path)))) return;
  await endContainers(path);
  await unmountBelow(path);
  // Links and addresses may be gone already, with the machine's last start for instance.
  await execute('ip', ['link', 'delete', bridge]);
  await execute('ip', ['address', 'delete', `${nodeAddress}/32`, 'dev', 'lo']);
  await removeChains(['KUBE-', 'CNI-']);
  await removeCgroups();
}

/** Containers are children of shims, and the shims of nobody; both know their run by the socket's path. */
async function endContainers(path: string): Promise<void> {
  const shims = await processesWith(containerdSocket(path));
  const tasks = join(path, 'containerd', 'state', 'io.containerd.runtime.v2.task', 'k8s.io');
  const ids = (await exists(tasks)) ? await readdir(tasks) : [];
  for (const id of ids) {
    const file = join(tasks, id, 'init.pid');
    if (await exists(file)) {
      const pid = Number(await readFile(file, 'utf8'));
      const parent = await parentOf(pid);
      if (shims.some((shim) => shim.pid === parent)) signal(pid, 'SIGKILL');
    }
  }
  for (const shim of shims) signal(shim.pid, 'SIGKILL');
  await waitFor(
    'the end of the containers',
    async () => (await processesWith(containerdSocket(path))).length === 0,
    { timeout: 10_000, interval: 20 },
  );
}

async function unmountBelow(path: string): Promise<void> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  // proc(5): the fifth field is the mount point, with octal escapes.
  const points = mounts
    .split('\n')
    .map((line) => line.split(' ')[4]?.replace(/\\(\d{3})/g, (_, code) => charOf(code)) ?? '')
    .filter((point) => point.startsWith(`${path}/`))
    .sort((a, b) => b.length - a.length);
  for (const point of points) await run('umount', ['--lazy', point]);
}

function charOf(octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8));
}

/** Cgroups of pods; one that is in use, by another kubelet, cannot be removed and stays. */
async function removeCgroups(): Promise<void> {
  const root = '/sys/fs/cgroup';
  const folders = [root, ...(await readdir(root)).map((name) => join(root, name))];
  for (const folder of folders) {
    const pods = join(folder, 'kubepods');
    if (await exists(pods)) await removeCgroup(pods);
  }
}

async function removeCgroup(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries) {
    if (entry.isDirectory()) await removeCgroup(join(folder, entry.name));
  }
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EBUSY' && error.code !== 'ENOTEMPTY') throw error;
  });
}
