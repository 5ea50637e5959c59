import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withPorts } from './target.ts';

/** A folder of YAML files that may be edited and is deleted in the end. */
export type Copy = AsyncDisposable & { folder: string; files: string[] };

/** Copies the YAML files of a folder, with other ports than those that they name. */
export async function copyOf(folder: string, ports: ReadonlyMap<number, number>): Promise<Copy> {
  const target = await mkdtemp(join(tmpdir(), 'gatehouse-example-'));
  const files = await yamlFiles(folder);
  for (const file of files) {
    const text = await readFile(join(folder, file), 'utf8');
    await writeFile(join(target, file), withPorts(text, ports));
  }
  return {
    folder: target,
    files,
    [Symbol.asyncDispose]: () => rm(target, { recursive: true, force: true }),
  };
}

export async function yamlFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((file) => file.endsWith('.yaml')).sort();
}
