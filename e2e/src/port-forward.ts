import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Cluster } from '../cluster/cluster.ts';

export type PortForward = {
  /** On 127.0.0.1; each connection to it is one to the pod. */
  port: number;
  close(): Promise<void>;
};

/** Leads a free port of this machine to a port of a pod, for as long as that runs. */
export async function forwardPort(
  { kubeconfig, kubectl }: Pick<Cluster, 'kubeconfig' | 'kubectl'>,
  { namespace, pod, port }: { namespace: string; pod: string; port: number },
): Promise<PortForward> {
  const flags = ['--kubeconfig', kubeconfig, '--namespace', namespace];
  const child = spawn(kubectl, [...flags, 'port-forward', `pod/${pod}`, `:${port}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  for await (const line of createInterface(child.stdout)) {
    const found = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (found === undefined) continue;
    // Whatever it says later must not fill the pipe.
    child.stdout.resume();
    return {
      port: Number(found),
      async close() {
        child.kill();
        await exited;
      },
    };
  }
  throw new Error(`Cannot forward a port to pod "${pod}": kubectl ended`);
}
