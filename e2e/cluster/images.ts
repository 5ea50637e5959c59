import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { baseImage, requireBaseImage } from './base-image.ts';
import { buildah } from './buildah.ts';
import { importImage } from './containerd.ts';
import { run } from './execute.ts';
import type { RunDirectory } from './run-directory.ts';
import { say } from './say.ts';

const repository = join(import.meta.dirname, '../..');

/** Images of ours by the targets of deploy/Dockerfile. */
export const images = {
  controller: 'gatehouse/controller:dev',
  dataplane: 'gatehouse/dataplane:dev',
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
  await say('loading the images', async () => {
    for (const image of [baseImage, ...Object.values(images)]) await load(directory, image);
  });
}

/** Writes dist/, which the Dockerfile copies from. */
export async function bundle(): Promise<void> {
  await run(process.execPath, ['scripts/build.ts'], { cwd: repository });
}

async function load(directory: RunDirectory, image: string): Promise<void> {
  const archive = join(directory.path, 'image.tar');
  const name = image.includes('.') ? image : `docker.io/${image}`;
  await buildah(['push', '--quiet', image, `docker-archive:${archive}:${name}`]);
  await importImage(directory, archive);
  await rm(archive);
}
