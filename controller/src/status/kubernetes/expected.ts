import type { EndpointSliceObject } from '@gatehouse/crds';
import type { DataPlaneReport, LaneReport, Report } from './report.ts';

/**
 * Names of the Pods that are ready behind a Service: every data plane that takes requests, connected
 * to a controller or not.
 * @param service "<namespace>/<name>"
 */
export function readyPods(slices: readonly EndpointSliceObject[], service: string): string[] {
  const pods = new Set<string>();
  for (const { metadata, endpoints } of slices) {
    const name = metadata.labels?.['kubernetes.io/service-name'];
    if (`${metadata.namespace}/${name}` !== service) continue;
    for (const { conditions, targetRef } of endpoints) {
      const ready = conditions?.ready !== false && conditions?.terminating !== true;
      if (ready && targetRef?.kind === 'Pod' && targetRef.name) pods.add(targetRef.name);
    }
  }
  return [...pods].sort();
}

const unknown: LaneReport = { upTo: null, except: [] };

/**
 * The data planes that take requests and that no replica knows: after all controllers started anew,
 * say. They may serve anything, so that nothing is called programmed before they are connected.
 */
export function unreported(pods: readonly string[], reports: readonly Report[]): Report {
  const known = new Set(reports.flatMap(({ dataPlanes }) => dataPlanes.map(({ node }) => node)));
  const dataPlanes = pods
    .filter((pod) => !known.has(pod))
    .map((node): DataPlaneReport => ({ node, config: unknown, endpoints: unknown }));
  return { format: 1, dataPlanes, heldBack: [], at: {} };
}
