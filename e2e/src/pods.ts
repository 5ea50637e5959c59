import type { Cluster } from '../cluster/cluster.ts';
import { run } from '../cluster/execute.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { namespace, release } from './gatehouse.ts';
import type { Kubectl } from './kubectl.ts';

export type Pod = {
  metadata: { name: string; namespace: string; uid: string; deletionTimestamp?: string };
  spec: { terminationGracePeriodSeconds: number; containers: { image: string }[] };
  status: {
    conditions?: { type: string; status: string }[];
    containerStatuses?: { restartCount: number; state: { running?: { startedAt: string } } }[];
  };
};

export type Component = 'controller' | 'dataplane';

/** Pods of a part of Gatehouse that are not being deleted. */
export async function podsOf(kubectl: Kubectl, component: Component): Promise<Pod[]> {
  const labels = `app.kubernetes.io/instance=${release},app.kubernetes.io/component=${component}`;
  const { items } = await kubectl.in(namespace).get<{ items: Pod[] }>('pods', '-l', labels);
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

/** Waits until so many pods of a part are ready and no other is left. */
export function readyPods(kubectl: Kubectl, component: Component, count: number): Promise<Pod[]> {
  return waitFor(
    `${count} ready pods of ${component}`,
    async () => {
      const pods = await podsOf(kubectl, component);
      return pods.length === count && pods.every(isReady) && pods;
    },
    { timeout: 120_000 },
  );
}

function isReady({ status }: Pod): boolean {
  return (
    status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
  );
}

/**
 * Sends a signal to the programs of a pod, from its node: it works on process 1 of a container too. What
 * holds the pod together is left alone.
 */
export async function signalPod(
  cluster: Cluster,
  { metadata }: Pod,
  signal: string,
): Promise<void> {
  // The drivers of cgroups differ in how they write the UID.
  const uid = metadata.uid.replaceAll('-', '[-_]');
  const script = `
    for process in $(grep -l 'pod${uid}' /proc/[0-9]*/cgroup | cut -d/ -f3); do
      [ "$(cat /proc/$process/comm)" = pause ] || kill -s ${signal} $process
    done`;
  const [program = 'sh', ...args] = [...cluster.onNode, 'sh', '-c', script];
  await run(program, args);
}
