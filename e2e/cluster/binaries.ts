import { basename, join } from 'node:path';
import { cachePath, exists, makeCached } from './cache.ts';
import { execute, run } from './execute.ts';
import { say } from './say.ts';
import { versions } from './versions.ts';

const kubernetes = {
  version: `kubernetes-${versions.kubernetes}`,
  programs: [
    'kube-apiserver',
    'kube-controller-manager',
    'kubectl',
    'kube-scheduler',
    'kubelet',
    'kube-proxy',
  ],
} as const;

export type KubernetesProgram = (typeof kubernetes.programs)[number];

/**
 * Paths of programs of Kubernetes, in the order asked for. What was not built before is built from
 * the Go module of Kubernetes: about 3 minutes on two cores for the API server, the
 * controller-manager and kubectl, and as much again for the rest.
 * @throws Error in one sentence when Go is missing
 */
export async function kubernetesPrograms<const Names extends readonly KubernetesProgram[]>(
  names: Names,
): Promise<{ [Index in keyof Names]: string }> {
  const paths = names.map((name) => cachePath(kubernetes.version, name));
  const found = await Promise.all(paths.map(exists));
  const missing = paths.filter((_, index) => !found[index]);
  if (missing.length > 0) {
    const built = missing.map((path) => basename(path));
    await building(`${built.join(', ')} ${versions.kubernetes}`, () =>
      makeCached(missing, (folder) => buildKubernetes(built, folder)),
    );
  }
  return paths as { [Index in keyof Names]: string };
}

/** Path of helm; built when it was not before. */
export function helmProgram(): Promise<string> {
  return installed('helm', versions.helm, 'helm.sh/helm/v3/cmd/helm');
}

/** Path of CoreDNS, linked statically so that it runs in an empty image; built when it was not before. */
export function corednsProgram(): Promise<string> {
  return installed('coredns', versions.coredns, 'github.com/coredns/coredns');
}

/** Path of the Consul that tests of discovery start: about 4 minutes on two cores when it was not built before. */
export function consulProgram(): Promise<string> {
  return wrapped('consul', versions.consul, 'github.com/hashicorp/consul');
}

/** Path of the h2spec that tests HTTP/2: about 15 seconds when it was not built before. */
export function h2specProgram(): Promise<string> {
  return wrapped('h2spec', versions.h2spec, 'github.com/summerwind/h2spec/cmd/h2spec');
}

/** A program that the Go module in the folder of its name builds. */
async function wrapped(name: string, version: string, source: string): Promise<string> {
  const path = cachePath(`${name}-${version}`, name);
  if (await exists(path)) return path;
  await building(`${name} ${version}`, () =>
    makeCached([path], async (folder) => {
      await run('go', ['build', '-ldflags', '-s -w', '-o', join(folder, name), source], {
        cwd: join(import.meta.dirname, name),
        environment: { CGO_ENABLED: '0' },
      });
    }),
  );
  return path;
}

async function buildKubernetes(names: readonly string[], folder: string): Promise<void> {
  const stamp = `-X k8s.io/component-base/version.gitVersion=${versions.kubernetes}`;
  const packages = names.map((name) => `k8s.io/kubernetes/cmd/${name}`);
  await run('go', ['build', '-ldflags', `-s -w ${stamp}`, '-o', `${folder}/`, ...packages], {
    cwd: join(import.meta.dirname, 'kubernetes'),
  });
}

async function installed(name: string, version: string, source: string): Promise<string> {
  const path = cachePath(`${name}-${version}`, name);
  if (await exists(path)) return path;
  await building(`${name} ${version}`, () =>
    makeCached([path], async (folder) => {
      const environment = { GOBIN: folder, CGO_ENABLED: '0' };
      await run('go', ['install', '-ldflags', '-s -w', `${source}@${version}`], { environment });
    }),
  );
  return path;
}

async function building(what: string, build: () => Promise<void>): Promise<void> {
  const { stdout } = await execute('go', ['env', 'GOVERSION']).catch(() => ({ stdout: '' }));
  const [, major = 0, minor = 0] = /^go(\d+)\.(\d+)/.exec(stdout) ?? [];
  if (Number(major) < 1 || (Number(major) === 1 && Number(minor) < 26)) {
    const found = stdout.trim() || 'none';
    throw new Error(`Cannot build ${what}: Go 1.26 or newer is needed, found ${found}`);
  }
  await say(`building ${what} (once; kept in ${cachePath('', '')})`, build);
}
