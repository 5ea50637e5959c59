import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cachePath } from './cache.ts';
import { execute } from './execute.ts';
import { requirePackages } from './packages.ts';
import { runsFolder } from './run-directory.ts';

/** capabilities(7): bits of what a node does to its machine. */
const capabilities = { CAP_NET_ADMIN: 12n, CAP_SYS_ADMIN: 21n };

/**
 * Makes sure that this machine can be a node: Linux, root with its rights, the programs, iptables, and
 * overlays where images and containers are kept.
 * @throws Error in one sentence that says what is missing
 */
export async function requireMachine(): Promise<void> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new Error(
      'Cannot start a cluster: it takes root on Linux; use "make e2e-kind" elsewhere',
    );
  }
  await requirePackages('cluster');
  await requireCapabilities();
  await requireTables();
  await mkdir(runsFolder(), { recursive: true, mode: 0o700 });
  await requireOverlay(runsFolder());
  const cache = cachePath('', '');
  await mkdir(cache, { recursive: true });
  await requireOverlay(cache);
}

async function requireCapabilities(): Promise<void> {
  const status = await readFile('/proc/self/status', 'utf8');
  const held = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const missing = Object.entries(capabilities)
    .filter(([, bit]) => (held & (1n << bit)) === 0n)
    .map(([name]) => name);
  if (missing.length === 0) return;
  throw new Error(`Cannot start a cluster: root has no ${missing.join(' and no ')} here`);
}

async function requireTables(): Promise<void> {
  const { code, stderr } = await execute('iptables', ['--wait', '--table=nat', '--list-rules']);
  if (code === 0) return;
  throw new Error(`Cannot start a cluster: iptables does not work here: ${lineOf(stderr)}`);
}

async function requireOverlay(parent: string): Promise<void> {
  const folder = await mkdtemp(join(parent, '.overlay-'));
  const at = (name: string) => join(folder, name);
  try {
    for (const name of ['lower', 'upper', 'work', 'merged']) await mkdir(at(name));
    const options = `lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')}`;
    const args = ['-t', 'overlay', 'overlay', '-o', options, at('merged')];
    const { code, stderr } = await execute('mount', args);
    if (code !== 0) {
      const why = lineOf(stderr);
      throw new Error(`Cannot start a cluster: no overlay can be mounted in "${parent}": ${why}`);
    }
    await execute('umount', [at('merged')]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function lineOf(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}
