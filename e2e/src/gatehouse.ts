import { join } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { run } from '../cluster/execute.ts';
import type { ReleaseTree } from '../cluster/previous-release.ts';
import { say } from '../cluster/say.ts';
import { kubectlOf } from './kubectl.ts';

export const release = 'gatehouse';
export const namespace = 'gatehouse-system';
/** Node ports of the data planes, on the loopback interface. */
export const httpPort = 30080;
export const httpsPort = 30443;

export const chart = join(import.meta.dirname, '../../charts/gatehouse');

/** A cluster that Gatehouse is installed on. */
export type Installed = Cluster & {
  /** Changes with the content of the images of this checkout. */
  build: string;
  /** The release before; undefined in a clone that does not have it. */
  previous: ReleaseTree | undefined;
};

/** What is installed. */
export type Version = { chart: string; tag: string; build: string };

/** What this checkout is. */
export const currentOf = ({ build }: Installed): Version => ({ chart, tag: 'dev', build });

/** What the suites set; everything else is as users get it. */
function valuesOf({ tag, build }: Version) {
  // Images of one name are no reason for Kubernetes to start pods anew.
  const podAnnotations = { 'gatehouse.dev/build': build };
  return {
    controller: { image: { tag }, podAnnotations },
    dataPlane: {
      image: { tag },
      podAnnotations,
      service: { type: 'NodePort' },
      ports: {
        http: { port: 8080, servicePort: 80, nodePort: httpPort },
        https: { port: 8443, servicePort: 443, nodePort: httpsPort },
      },
    },
  };
}

/** Makes the namespace of the release, where only pods that fit the standard "restricted" may run. */
export async function createNamespace(cluster: Cluster): Promise<void> {
  await kubectlOf(cluster).apply({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: namespace,
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
    },
  });
}

/** `helm upgrade --install`, until all pods are ready; `more` is added to the command line. */
export async function installGatehouse(cluster: Installed, ...more: string[]): Promise<void> {
  await installVersion(cluster, currentOf(cluster), '--wait', ...more);
}

/** `helm upgrade --install` of a version, whatever becomes of its pods. */
export async function installVersion(
  cluster: Installed,
  version: Version,
  ...more: string[]
): Promise<void> {
  const args = ['upgrade', '--install', release, version.chart, '--values', '-'];
  const input = JSON.stringify(valuesOf(version));
  await say('installing the chart', () =>
    run(cluster.helm, [...flagsOf(cluster), ...args, '--timeout', '3m', ...more], { input }),
  );
}

/** Runs helm in the namespace of the release. */
export function helm(cluster: Cluster, ...args: string[]): Promise<string> {
  return run(cluster.helm, [...flagsOf(cluster), ...args]);
}

function flagsOf({ kubeconfig }: Cluster): string[] {
  return ['--kubeconfig', kubeconfig, '--namespace', namespace];
}
