import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cachePath } from './cache.ts';
import { execute, type Output, run } from './execute.ts';

const flags = () => [
  '--root',
  cachePath('buildah', 'storage'),
  '--runroot',
  join(tmpdir(), 'gatehouse-buildah'),
  '--storage-driver',
  'overlay',
];

/** Runs buildah with a storage of its own, where layers stay from run to run; it must succeed. */
export function buildah(args: readonly string[]): Promise<string> {
  return run('buildah', [...flags(), ...args]);
}

/** Runs buildah; an exit code is an answer. */
export function attemptBuildah(args: readonly string[]): Promise<Output> {
  return execute('buildah', [...flags(), ...args]);
}

/** Adds an image to a folder in the layout of the OCI, under its full name, with layers as they are. */
export async function pushTo(layout: string, image: string): Promise<void> {
  await buildah(['push', '--quiet', '--disable-compression', image, `oci:${layout}:${image}`]);
}
