import type { RouteObject } from '@gatehouse/crds';
import { intersectHostnames } from './hostnames.ts';
import type { JudgedListener } from './listeners.ts';
import { namespaceOf, sortedBy } from './resources.ts';
import type { ParentStatus } from './status.ts';

/** What Routes need to know about a listener; certificates are not part of it. */
export type AttachPoint = Pick<
  JudgedListener,
  'id' | 'gateway' | 'section' | 'port' | 'hostname' | 'from' | 'out'
>;

/** All listeners, by "<namespace>/<name>" of their Gateway. */
export type AttachPoints = ReadonlyMap<string, AttachPoint[]>;

type ParentRef = ParentStatus['parentRef'];
type Refusal = {
  reason: 'NoMatchingParent' | 'NotAllowedByListeners' | 'NoMatchingListenerHostname';
  message: string;
};

/** Hostnames by listener; see intersectHostnames. */
export type Attachments = ReadonlyMap<string, string[]>;

export type Attached = {
  parents: { parentRef: ParentRef; refusal: Refusal | undefined }[];
  attachments: Attachments;
};

export function attachPoint(listener: JudgedListener): AttachPoint {
  const { id, gateway, section, port, hostname, from, out } = listener;
  return { id, gateway, section, port, hostname, from, out };
}

export function byGateway(points: readonly AttachPoint[]): AttachPoints {
  return Map.groupBy(points, ({ gateway }) => gateway);
}

/** Finds the listeners that serve a Route, and says of each parent what came of it. */
export function attach(route: RouteObject, points: AttachPoints): Attached {
  const attachments = new Map<string, string[]>();
  const parents = parentsOf(route, points).map((parentRef) => {
    const found = attachTo(route, parentRef, points);
    if (!Array.isArray(found)) return { parentRef, refusal: found };
    for (const [id, hosts] of found) attachments.set(id, hosts);
    return { parentRef, refusal: undefined };
  });
  return { parents, attachments: new Map(sortedBy(attachments, ([id]) => id)) };
}

/**
 * Without parentRefs: every Gateway of the namespace of the Route; when there is none, every Gateway
 * with a listener that allows the Route.
 */
function parentsOf(route: RouteObject, points: AttachPoints): ParentRef[] {
  const namespace = namespaceOf(route);
  const refs = route.spec.parentRefs ?? [];
  if (refs.length > 0)
    return refs.map((ref) => ({ ...ref, namespace: ref.namespace ?? namespace }));
  const all = [...points].map(([id, listeners]) => ({ ...refTo(id), listeners }));
  const own = all.filter((gateway) => gateway.namespace === namespace);
  const open = all.filter(({ listeners }) => listeners.some((point) => allows(point, namespace)));
  return (own.length > 0 ? own : open).map(({ listeners: _, ...ref }) => ref);
}

function refTo(id: string): ParentRef {
  const slash = id.indexOf('/');
  return { namespace: id.slice(0, slash), name: id.slice(slash + 1) };
}

function allows({ gateway, from }: AttachPoint, namespace: string): boolean {
  return from === 'All' || (from === 'Same' && gateway.startsWith(`${namespace}/`));
}

function attachTo(
  route: RouteObject,
  { namespace, name, sectionName, port }: ParentRef,
  points: AttachPoints,
): [string, string[]][] | Refusal {
  const gateway = `Gateway "${namespace}/${name}"`;
  const listeners = points.get(`${namespace}/${name}`);
  if (!listeners) return { reason: 'NoMatchingParent', message: `${gateway} does not exist` };
  const selected = listeners.filter(
    (point) =>
      (sectionName === undefined || point.section === sectionName) &&
      (port === undefined || point.port === port),
  );
  if (selected.length === 0) {
    const named = sectionName === undefined ? '' : ` "${sectionName}"`;
    const onPort = port === undefined ? '' : ` on port ${port}`;
    return { reason: 'NoMatchingParent', message: `${gateway} has no listener${named}${onPort}` };
  }
  const allowed = selected.filter((point) => allows(point, namespaceOf(route)));
  if (allowed.length === 0) return notAllowed(gateway, selected, namespaceOf(route));
  const hosts = allowed.flatMap((point) => {
    const common = intersectHostnames(point.hostname, route.spec.hostnames ?? []);
    return common ? [{ point, common }] : [];
  });
  if (hosts.length === 0) {
    const message = `no hostname of the Route is one of ${gateway}: ${allowed
      .map(({ section, hostname }) => `listener "${section}" has "${hostname}"`)
      .join(', ')}`;
    return { reason: 'NoMatchingListenerHostname', message };
  }
  const served = hosts.filter(({ point }) => point.out === '');
  if (served.length === 0) {
    const why = hosts.map(({ point }) => `listener "${point.section}" is left out, ${point.out}`);
    return { reason: 'NoMatchingParent', message: `${gateway}: ${why.join(', ')}` };
  }
  return served.map(({ point, common }) => [point.id, common]);
}

function notAllowed(gateway: string, selected: readonly AttachPoint[], namespace: string): Refusal {
  const selector = selected.some(({ from }) => from === 'Selector')
    ? '; allowedRoutes.namespaces.from "Selector" is not supported and allows none, use "Same" or "All"'
    : '';
  const message = `${gateway} does not allow Routes of namespace "${namespace}"${selector}`;
  return { reason: 'NotAllowedByListeners', message };
}
