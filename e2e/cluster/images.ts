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

/** Full names of our images of a tag, by the targets of deploy/Dockerfile. */
export function imagesOf(tag: string): Record<'controller' | 'dataplane', string> {
  return {
    controller: `docker.io/gatehouse/controller:${tag}`,
    dataplane: `docker.io/gatehouse/dataplane:${tag}`,
  };
}

/** What can be built: by the Dockerfile in it, of the bundles in it. */
export type Build = { tag: string; path: string };

/** This checkout and, where there is one, the release before it. */
export type Builds = { digest: string; all: Build[] };

/** Bundles the programs of this checkout. `digest` changes with the content of its images. */
export async function prepareBuilds(previous: string | undefined): Promise<Builds> {
  const digest = await bundle();
  const current = { tag: 'dev', path: repository };
  return {
    digest,
    all: previous === undefined ? [current] : [current, { tag: 'previous', path: previous }],
  };
}

/**
 * Bundles the programs, builds the shipped Dockerfile and gives the node its images and their base, and
 * those of `previous`. Returns what changes with their content.
 */
export async function loadImages(
  directory: RunDirectory,
  previous: string | undefined,
): Promise<string> {
  await requireBaseImage();
  const builds = await say('building the images', async () => {
    const prepared = await prepareBuilds(previous);
    for (const one of prepared.all) await buildImages(one);
    return prepared;
  });
  const names = builds.all.flatMap(({ tag }) => Object.values(imagesOf(tag)));
  await say('loading the images', () => load(directory, names));
  return builds.digest;
}

async function buildImages({ tag, path }: Build): Promise<void> {
  for (const [target, image] of Object.entries(imagesOf(tag))) {
    await buildah([
      'bud',
      '--pull=never',
      '--isolation=chroot',
      '--layers',
      ...['--file', join(path, 'deploy/Dockerfile')],
      ...['--ignorefile', join(path, '.dockerignore')],
      ...['--target', target],
      ...['--tag', image],
      path,
    ]);
  }
}

/** Writes dist/, which the Dockerfile copies from; returns a digest of both. */
async function bundle(): Promise<string> {
  await run(process.execPath, ['scripts/build.ts'], { cwd: repository });
  const dist = join(repository, 'dist');
  const digest = createHash('sha256').update(await readFile(join(repository, 'deploy/Dockerfile')));
  for (const name of (await readdir(dist)).sort()) digest.update(await readFile(join(dist, name)));
  return digest.digest('hex').slice(0, 16);
}

/** One archive for all, in which the layers that they share are once. */
async function load({ path }: RunDirectory, names: readonly string[]): Promise<void> {
  const layout = join(path, 'images');
  const archive = join(path, 'images.tar');
  await run('cp', ['--recursive', '--reflink=auto', await baseLayout(), layout]);
  try {
    for (const image of names) await pushTo(layout, image);
    await run('tar', ['-C', layout, '-cf', archive, '.']);
    await importImages({ path }, archive);
  } finally {
    await rm(layout, { recursive: true, force: true });
    await rm(archive, { force: true });
  }
}
