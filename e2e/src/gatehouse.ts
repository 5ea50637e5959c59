import { join } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { run } from '../cluster/execute.ts';
import { say } from '../cluster/say.ts';

export const release = 'gatehouse';
export const namespace = 'gatehouse-system';
/** Node ports of the data planes, on the loopback interface. */
export const httpPort = 30080;
export const httpsPort = 30443;

const chart = join(import.meta.dirname, '../../charts/gatehouse');

/** A cluster that Gatehouse is installed on; `build` changes with the content of its images. */
export type Installed = Cluster & { build: string };

/** What the suites set; everything else is as users get it. */
function valuesOf(build: string) {
  // Images of one name are no reason for Kubernetes to start pods anew.
  const podAnnotations = { 'gatehouse.dev/build': build };
  return {
    controller: { image: { tag: 'dev' }, podAnnotations },
    dataPlane: {
      image: { tag: 'dev' },
      podAnnotations,
      service: { type: 'NodePort' },
      ports: {
        http: { port: 8080, servicePort: 80, nodePort: httpPort },
        https: { port: 8443, servicePort: 443, nodePort: httpsPort },
      },
    },
  };
}

/** `helm upgrade --install`, until all pods are ready; `more` is added to the command line. */
export async function installGatehouse(cluster: Installed, ...more: string[]): Promise<void> {
  const input = JSON.stringify(valuesOf(cluster.build));
  await say('installing the chart', () =>
    run(
      cluster.helm,
      [
        ...flagsOf(cluster),
        ...['upgrade', '--install', release, chart, '--values', '-'],
        ...['--create-namespace', '--wait', '--timeout', '3m', ...more],
      ],
      { input },
    ),
  );
}

/** Runs helm in the namespace of the release. */
export function helm(cluster: Cluster, ...args: string[]): Promise<string> {
  return run(cluster.helm, [...flagsOf(cluster), ...args]);
}

function flagsOf({ kubeconfig }: Cluster): string[] {
  return ['--kubeconfig', kubeconfig, '--namespace', namespace];
}
