import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { baseLayout, requireBaseImage } from './base-image.ts';
import { buildah, pushTo } from './buildah.ts';
import { importImages } from './containerd.ts';
import { run } from './execute.ts';
import type { RunDirectory } from './run-directory.ts';
import { say } from './say.ts';

const repository = join(import.meta.dirname, '../..');
const dockerfile = join(repository, 'deploy/Dockerfile');

/** Full names of our images by the targets of deploy/Dockerfile. */
export const images = {
  controller: 'docker.io/gatehouse/controller:dev',
  dataplane: 'docker.io/gatehouse/dataplane:dev',
};

/**
 * Bundles the programs, builds the shipped Dockerfile and gives the node its images and their base.
 * Returns what changes with their content.
 */
export async function loadImages(directory: RunDirectory): Promise<string> {
  await requireBaseImage();
  const build = await say('building the images', async () => {
    const digest = await bundle();
    for (const [target, image] of Object.entries(images)) {
      await buildah([
        'bud',
        '--pull=never',
        '--isolation=chroot',
        '--layers',
        ...['--file', dockerfile],
        ...['--ignorefile', join(repository, '.dockerignore')],
        ...['--target', target],
        ...['--tag', image],
        repository,
      ]);
    }
    return digest;
  });
  await say('loading the images', () => load(directory));
  return build;
}

/** Writes dist/, which the Dockerfile copies from; returns a digest of it. */
export async function bundle(): Promise<string> {
  await run(process.execPath, ['scripts/build.ts'], { cwd: repository });
  const dist = join(repository, 'dist');
  const digest = createHash('sha256').update(await readFile(dockerfile));
  for (const name of (await readdir(dist)).sort()) digest.update(await readFile(join(dist, name)));
  return digest.digest('hex').slice(0, 16);
}

/** One archive for all, in which the layers that they share are once. */
async function load({ path }: RunDirectory): Promise<void> {
  const layout = join(path, 'images');
  const archive = join(path, 'images.tar');
  await run('cp', ['--recursive', '--reflink=auto', await baseLayout(), layout]);
  try {
    for (const image of Object.values(images)) await pushTo(layout, image);
    await run('tar', ['-C', layout, '-cf', archive, '.']);
    await importImages({ path }, archive);
  } finally {
    await rm(layout, { recursive: true, force: true });
    await rm(archive, { force: true });
  }
}
