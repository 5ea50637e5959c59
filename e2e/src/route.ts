import { waitFor } from '../cluster/wait-for.ts';
import type { Kubectl } from './kubectl.ts';

export type Condition = {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  observedGeneration?: number;
};

export type RouteObject = {
  metadata: { name: string; generation: number };
  status?: { conditions?: Condition[] };
};

/** A Route whose rules may leave out their names. */
export function route(name: string, host: string, ...rules: object[]) {
  return {
    apiVersion: 'gatehouse.dev/v1alpha1',
    kind: 'Route',
    metadata: { name },
    spec: {
      hostnames: [host],
      rules: rules.map((rule, index) => ({ name: `rule-${index}`, ...rule })),
    },
  };
}

/** Applies a Route and waits until its status says that every data plane serves it. */
export async function program(
  kubectl: Kubectl,
  object: { metadata: { name: string } },
): Promise<void> {
  await kubectl.apply(object);
  await programmed(kubectl, object.metadata.name);
}

/** What a script of a user does: kubectl heeds observedGeneration. */
export async function programmed(kubectl: Kubectl, name: string): Promise<void> {
  await kubectl(
    'wait',
    `routes.gatehouse.dev/${name}`,
    '--for=condition=Programmed',
    '--timeout=30s',
  );
}

/** Waits for a condition of the present generation that fits. */
export function condition(
  kubectl: Kubectl,
  name: string,
  type: string,
  fits: (condition: Condition) => boolean,
): Promise<Condition> {
  let last: Condition | undefined;
  return waitFor(
    `a condition ${type} of Route "${name}"`,
    async () => {
      const { metadata, status } = await kubectl.get<RouteObject>('routes.gatehouse.dev', name);
      last = status?.conditions?.find((each) => each.type === type);
      return last?.observedGeneration === metadata.generation && fits(last) && last;
    },
    { timeout: 30_000 },
  ).catch((error: Error) => {
    throw new Error(`${error.message}; last seen: ${JSON.stringify(last)}`);
  });
}
