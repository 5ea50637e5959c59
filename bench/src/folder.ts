import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Folder = AsyncDisposable & { path: string };

/** Makes a temporary folder that is removed, with all it holds, when disposed. */
export async function temporaryFolder(purpose: string): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), `gatehouse-bench-${purpose}-`));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
