import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** Folder outside the checkout for what is expensive to make; XDG Base Directory Specification. */
function cacheRoot(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gatehouse');
}

/** Path of something cached; `version` must change whenever its content does. */
export function cachePath(version: string, name: string): string {
  return join(cacheRoot(), version, name);
}

export async function exists(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return found !== undefined;
}

/**
 * Makes what is missing at `paths`, all of one folder: `make` writes files of the same names into the
 * folder that it is given. A run that is interrupted, or that another one overtakes, leaves nothing
 * half made behind.
 */
export async function makeCached(
  paths: readonly string[],
  make: (folder: string) => Promise<void>,
): Promise<void> {
  const [first] = paths;
  if (first === undefined) return;
  const target = dirname(first);
  await mkdir(target, { recursive: true });
  const folder = await mkdtemp(join(target, '.making-'));
  try {
    await make(folder);
    for (const path of paths) await rename(join(folder, basename(path)), path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
