import { join } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { run } from '../cluster/execute.ts';
import { say } from '../cluster/say.ts';

export const release = 'gatehouse';
export const namespace = 'gatehouse-system';
/** Node port of the data planes, on the loopback interface. */
export const httpPort = 30080;

const chart = join(import.meta.dirname, '../../charts/gatehouse');

/** What the suites set; everything else is as users get it. */
const values = {
  controller: { image: { tag: 'dev' } },
  dataPlane: {
    image: { tag: 'dev' },
    service: { type: 'NodePort' },
    ports: { http: { port: 8080, servicePort: 80, nodePort: httpPort } },
  },
};

/** `helm upgrade --install`, until all pods are ready; `more` is added to the command line. */
export async function installGatehouse(cluster: Cluster, ...more: string[]): Promise<void> {
  await say('installing the chart', () =>
    helm(
      cluster,
      ...['upgrade', '--install', release, chart, '--values', '-'],
      ...['--create-namespace', '--wait', '--timeout', '3m', ...more],
    ),
  );
}

/** Runs helm in the namespace of the release. */
export function helm({ kubeconfig, helm }: Cluster, ...args: string[]): Promise<string> {
  const flags = ['--kubeconfig', kubeconfig, '--namespace', namespace];
  return run(helm, [...flags, ...args], { input: JSON.stringify(values) });
}
