import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { baseLayout, requireBaseImage } from './base-image.ts';
import { buildah, pushTo } from './buildah.ts';
import { importImages } from './containerd.ts';
import { run } from './execute.ts';
import type { RunDirectory } from './run-directory.ts';
import { say } from './say.ts';

const repository = join(import.meta.dirname, '../..');

/** Full names of our images by the targets of deploy/Dockerfile. */
export const images = {
  controller: 'docker.io/gatehouse/controller:dev',
  dataplane: 'docker.io/gatehouse/dataplane:dev',
};

/** Bundles the programs, builds the shipped Dockerfile and gives the node its images and their base. */
export async function loadImages(directory: RunDirectory): Promise<void> {
  await requireBaseImage();
  await say('building the images', async () => {
    await bundle();
    for (const [target, image] of Object.entries(images)) {
      await buildah([
        'bud',
        '--pull=never',
        '--isolation=chroot',
        '--layers',
        ...['--file', join(repository, 'deploy/Dockerfile')],
        ...['--ignorefile', join(repository, '.dockerignore')],
        ...['--target', target],
        ...['--tag', image],
        repository,
      ]);
    }
  });
  await say('loading the images', () => load(directory));
}

/** Writes dist/, which the Dockerfile copies from. */
export async function bundle(): Promise<void> {
  await run(process.execPath, ['scripts/build.ts'], { cwd: repository });
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
