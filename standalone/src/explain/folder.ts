import { stat } from 'node:fs/promises';
import { compileFolder } from '@gatehouse/controller';
import type { ExplainedSnapshot } from './snapshot.ts';

/** Compiles a folder as `gatehouse check` does. @throws Error when there is no such folder. */
export async function folderSnapshot(folder: string): Promise<ExplainedSnapshot> {
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => error.code);
  if (typeof found !== 'object' || !found.isDirectory()) {
    const reason = found === 'ENOENT' ? 'there is no such folder' : 'it is not a readable folder';
    throw new Error(`Cannot explain "${folder}": ${reason}`);
  }
  const { mistakes, compiled } = await compileFolder(folder);
  const { config, endpoints, keep } = compiled;
  return { source: { folder }, config, endpoints, mistakes, redacted: false, unknown: keep };
}
