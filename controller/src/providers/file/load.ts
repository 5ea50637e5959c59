import type { AnyObject } from '@gatehouse/crds';
import type { FileProblem } from './problem.ts';
import { nothingRead, readFolder } from './reading.ts';

/** Reads a folder once: the good objects, with their namespaces, and every mistake. */
export async function loadFolder(
  folder: string,
): Promise<{ objects: AnyObject[]; problems: FileProblem[] }> {
  const { held, problems } = await readFolder(folder, nothingRead);
  return { objects: [...held.values()].map(({ object }) => object), problems };
}
