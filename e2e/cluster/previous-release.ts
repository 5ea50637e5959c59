import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cachePath, exists, makeCached } from './cache.ts';
import { execute, run } from './execute.ts';
import { say } from './say.ts';
import { versions } from './versions.ts';

const repository = join(import.meta.dirname, '../..');

/** A release as it was: its bundles in dist/ and deploy/Dockerfile, and its chart. */
export type ReleaseTree = {
  /** Root of what the Dockerfile copies from. */
  path: string;
  chart: string;
  /** Commit that it was made of. */
  commit: string;
};

/**
 * The release before this one, built from its commit when it was not before; 30 s, and the network for
 * its npm packages.
 * @throws Error in one sentence when the clone does not have the commit
 */
export async function previousRelease(): Promise<ReleaseTree> {
  const commit = await commitOf(await nameOf());
  const path = cachePath(`release-${commit.slice(0, 12)}`, 'tree');
  if (!(await exists(path))) {
    await say(`building the release of ${commit.slice(0, 12)} (once)`, () =>
      makeCached([path], (folder) => build(commit, folder)),
    );
  }
  return { path, chart: join(path, 'charts/gatehouse'), commit };
}

/** The latest tag of a release behind HEAD; before there is any, the commit that stands for one. */
async function nameOf(): Promise<string> {
  const args = ['describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*', 'HEAD^'];
  const { code, stdout } = await execute('git', args, { cwd: repository });
  return code === 0 ? stdout.trim() : versions.previousCommit;
}

async function commitOf(name: string): Promise<string> {
  const args = ['rev-parse', '--verify', '--quiet', `${name}^{commit}`];
  const { code, stdout } = await execute('git', args, { cwd: repository });
  if (code === 0) return stdout.trim();
  throw new Error(
    `Cannot build the previous release: this clone has no commit "${name}"; get it with git fetch --unshallow`,
  );
}

async function build(commit: string, folder: string): Promise<void> {
  const source = join(folder, 'source');
  const archive = join(folder, 'source.tar');
  await mkdir(source);
  // Not a worktree: that would be written down in the repository, and be left there by a run that is cut off.
  await run('git', ['archive', '--output', archive, commit], { cwd: repository });
  await run('tar', ['-C', source, '-xf', archive]);
  await run('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: source });
  await run('npm', ['run', '--silent', 'build'], { cwd: source });
  const tree = join(folder, 'tree');
  await mkdir(tree);
  for (const name of ['dist', 'deploy', 'charts', '.dockerignore']) {
    await cp(join(source, name), join(tree, name), { recursive: true });
  }
  await rm(source, { recursive: true, force: true });
}
