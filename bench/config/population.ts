import { setTimeout as pause } from 'node:timers/promises';
import {
  answerRoute,
  backendUpstream,
  endpointSlice,
  forwardRoute,
  gateway,
  gatewayClass,
  loadRoute,
  namespace,
  pathOf,
  routesPath,
  service,
} from './objects.ts';
import { inParallel } from './pace.ts';
import type { Stage } from './stage.ts';

/** How much there is. */
export type Size = { routes: number; services: number };

/** Routes that answer by themselves, which propagation is measured by. */
export const probes = 20;
export const probeName = (index: number) => `probe-${index % probes}`;

const writers = 16;

/** Everything but most of the Routes. */
export async function populate({ api, port, backend }: Stage, size: Size): Promise<void> {
  await api.apply('/apis/gateway.networking.k8s.io/v1/gatewayclasses/gatehouse', gatewayClass);
  const objects = [
    gateway(port),
    backendUpstream(backend.port),
    loadRoute('0'),
    ...Array.from({ length: probes }, (_, n) => answerRoute(probeName(n), 'first')),
    ...Array.from({ length: size.services }, (_, n) => service(n)),
    ...Array.from({ length: size.services }, (_, n) => endpointSlice(n)),
  ];
  await inParallel(objects, writers, (object) => api.apply(pathOf(object), object));
}

/** Makes the Routes from `from` up to `to`. */
export async function addRoutes(stage: Stage, size: Size, from: number, to: number): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, n) => from + n);
  await inParallel(numbers, writers, (n) => {
    const object = forwardRoute(n, size.services);
    return stage.api.apply(pathOf(object), object);
  });
}

export type Watched = {
  metadata: { name: string; generation: number };
  status?: { conditions?: { type: string; status: string; observedGeneration: number }[] };
};

export function isProgrammed({ metadata, status }: Watched): boolean {
  return (status?.conditions ?? []).some(
    ({ type, status: state, observedGeneration }) =>
      type === 'Programmed' && state === 'True' && observedGeneration === metadata.generation,
  );
}

/** Waits until every Route says that all data planes serve it. */
export async function untilProgrammed({ api }: Stage, timeout = 120_000): Promise<void> {
  const until = performance.now() + timeout;
  for (;;) {
    const { items } = await api.get<{ items: Watched[] }>(`${routesPath}?resourceVersion=0`);
    const left = items.filter((route) => !isProgrammed(route));
    if (left.length === 0) return;
    if (performance.now() > until) {
      const some = left.slice(0, 3).map(({ metadata }) => `${namespace}/${metadata.name}`);
      throw new Error(
        `Cannot wait any longer: ${left.length} Routes are not programmed, e.g. ${some.join(', ')}: ${JSON.stringify(left[0]?.status)}`,
      );
    }
    await pause(500);
  }
}
