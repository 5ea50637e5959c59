import { chmod, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { attemptBuildah, buildah, pushTo } from './buildah.ts';
import { cachePath, exists, makeCached } from './cache.ts';
import { run } from './execute.ts';
import { say } from './say.ts';

/** The image that the shipped Dockerfile builds on, by its full name. */
export const baseImage = 'docker.io/library/node:26-bookworm-slim';

/** The program of the npm package `node`. */
const node = join(import.meta.dirname, '../../node_modules/node/bin/node');

const needless = ['doc', 'man', 'locale', 'info'].map((name) => `usr/share/${name}`);
const packages = ['var/cache/apt', 'var/lib/apt/lists'];

/**
 * Puts a stand-in for the Node image where buildah finds it, for machines that cannot pull: Debian's
 * minimal system with the node program of the npm package `node` and the library that it needs.
 * About a minute, once for each version of Node.
 */
export async function requireBaseImage(): Promise<void> {
  const exact = `gatehouse.dev/e2e/base:${await nodeVersion()}`;
  const { code } = await attemptBuildah(['inspect', '--type=image', exact]);
  if (code !== 0) await say(`making a stand-in for ${baseImage} (once)`, () => make(exact));
  await buildah(['tag', exact, baseImage]);
}

/** Folder with the base image in the layout of the OCI, uncompressed; made once. */
export async function baseLayout(): Promise<string> {
  const path = cachePath(`base-image-${await nodeVersion()}`, 'layout');
  if (!(await exists(path))) {
    await makeCached([path], (folder) => pushTo(join(folder, 'layout'), baseImage));
  }
  return path;
}

async function nodeVersion(): Promise<string> {
  return (await run(node, ['--version'])).trim();
}

async function make(tag: string): Promise<void> {
  const root = cachePath('base-image', 'root');
  await rm(root, { recursive: true, force: true });
  await mkdir(dirname(root), { recursive: true });
  try {
    await run('debootstrap', [
      '--variant=minbase',
      '--include=libatomic1,ca-certificates',
      'bookworm',
      root,
    ]);
    const program = join(root, 'usr/local/bin/node');
    await copyFile(node, program);
    await chmod(program, 0o755);
    for (const path of [...needless, ...packages]) {
      await rm(join(root, path), { recursive: true, force: true });
    }
    const file = join(dirname(root), 'Dockerfile');
    await writeFile(file, 'FROM scratch\nCOPY . /\nCMD ["node"]\n');
    await buildah(['bud', '--isolation=chroot', '--tag', tag, '--file', file, root]);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
