import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auditPolicy } from '../cluster/audit.ts';
import { baseImage } from '../cluster/base-image.ts';
import type { ClusterOptions, RunningCluster } from '../cluster/cluster.ts';
import { execute, run } from '../cluster/execute.ts';
import { imagesOf, prepareBuilds } from '../cluster/images.ts';
import { say } from '../cluster/say.ts';

const name = 'gatehouse-e2e';
const node = `${name}-control-plane`;

/**
 * Starts a cluster by kind, for machines with Docker: the same as `startCluster` for all that the suites
 * see of it.
 * @throws Error in one sentence with the programs that are missing
 */
export async function startKindCluster({
  reuse = false,
}: ClusterOptions = {}): Promise<RunningCluster> {
  await requirePrograms(['docker', 'kind', 'kubectl', 'helm']);
  const there = (await run('kind', ['get', 'clusters'])).split('\n').includes(name);
  if (there && !reuse) throw new Error(`Cannot start a cluster: kind has a "${name}"; delete it`);
  const folder = there ? await folderOf() : await create();
  const kubeconfig = join(folder, 'kubeconfig');
  await run('kind', ['export', 'kubeconfig', '--name', name, '--kubeconfig', kubeconfig]);
  return {
    cluster: {
      kubeconfig,
      kubectl: 'kubectl',
      helm: 'helm',
      auditLog: join(folder, 'audit.jsonl'),
      onNode: ['docker', 'exec', node],
    },
    loadImages,
    async stop() {
      if (reuse) return;
      await run('kind', ['delete', 'cluster', '--name', name]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function create(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-kind-'));
  await chmod(folder, 0o777);
  const policy = join(folder, 'audit-policy.json');
  await writeFile(policy, JSON.stringify(auditPolicy));
  const template = await readFile(join(import.meta.dirname, 'kind.yaml'), 'utf8');
  const config = template.replace('AUDIT_FOLDER', folder).replace('POLICY_FILE', policy);
  await say('starting kind', () =>
    run('kind', ['create', 'cluster', '--config', '-', '--wait', '120s'], { input: config }),
  );
  return folder;
}

/** The folder of a cluster that was kept: Docker knows what is mounted at the place of the audit log. */
async function folderOf(): Promise<string> {
  const format =
    '{{range .Mounts}}{{if eq .Destination "/var/log/audit"}}{{.Source}}{{end}}{{end}}';
  return (await run('docker', ['inspect', '--format', format, node])).trim();
}

function loadImages(previous?: string): Promise<string> {
  return say('building and loading the images', async () => {
    const { digest, all } = await prepareBuilds(previous);
    for (const { tag, path } of all) {
      for (const [target, image] of Object.entries(imagesOf(tag))) {
        const file = join(path, 'deploy/Dockerfile');
        const flags = ['--file', file, '--target', target, '--tag', image];
        await run('docker', ['build', ...flags, path]);
      }
    }
    await run('docker', ['pull', '--quiet', baseImage]);
    const names = all.flatMap(({ tag }) => Object.values(imagesOf(tag)));
    await run('kind', ['load', 'docker-image', '--name', name, baseImage, ...names]);
    return digest;
  });
}

async function requirePrograms(programs: readonly string[]): Promise<void> {
  const looks = await Promise.all(
    programs.map(async (program) =>
      execute('which', [program]).then(({ code }) => (code === 0 ? [] : [program])),
    ),
  );
  const missing = looks.flat();
  if (missing.length > 0) throw new Error(`Cannot start kind: ${missing.join(', ')} missing`);
}
