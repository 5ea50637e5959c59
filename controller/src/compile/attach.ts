import type { RouteObject } from '@gatehouse/crds';
import { intersectHostnames } from './hostnames.ts';
import type { JudgedListener } from './listeners.ts';
import type { Selected } from './namespaces.ts';
import { namespaceOf, sortedBy } from './resources.ts';
import type { ParentStatus } from './status.ts';

/** What Routes need to know about a listener; certificates are not part of it. */
export type AttachPoint = Pick<
  JudgedListener,
  'id' | 'gateway' | 'section' | 'port' | 'hostname' | 'from' | 'selector' | 'out' | 'served'
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
  const { id, gateway, section, port, hostname, from, selector, out, served } = listener;
  return { id, gateway, section, port, hostname, from, selector, out, served };
}

export function byGateway(points: readonly AttachPoint[]): AttachPoints {
  return Map.groupBy(points, ({ gateway }) => gateway);
}

/**
 * Finds the listeners that serve a Route, and says of each parent what came of it.
 * @param selected of the namespace of the Route.
 */
export function attach(route: RouteObject, points: AttachPoints, selected: Selected): Attached {
  const attachments = new Map<string, string[]>();
  const parents = parentsOf(route, points, selected).map((parentRef) => {
    const { found, refusal } = attachTo(route, parentRef, points, selected);
    for (const [id, hosts] of found) attachments.set(id, hosts);
    return { parentRef, refusal };
  });
  return { parents, attachments: new Map(sortedBy(attachments, ([id]) => id)) };
}

/**
 * Without parentRefs: every Gateway of the namespace of the Route; when there is none, every Gateway
 * with a listener that allows the Route.
 */
function parentsOf(route: RouteObject, points: AttachPoints, selected: Selected): ParentRef[] {
  const namespace = namespaceOf(route);
  const refs = route.spec.parentRefs ?? [];
  if (refs.length > 0)
    return refs.map((ref) => ({ ...ref, namespace: ref.namespace ?? namespace }));
  const all = [...points].map(([id, listeners]) => ({ ...refTo(id), listeners }));
  const own = all.filter((gateway) => gateway.namespace === namespace);
  const open = all.filter(({ listeners }) =>
    listeners.some((point) => allows(point, namespace, selected)),
  );
  return (own.length > 0 ? own : open).map(({ listeners: _, ...ref }) => ref);
}

function refTo(id: string): ParentRef {
  const slash = id.indexOf('/');
  return { namespace: id.slice(0, slash), name: id.slice(slash + 1) };
}

function allows({ id, gateway, from }: AttachPoint, namespace: string, { listeners }: Selected) {
  switch (from) {
    case 'All':
      return true;
    case 'Same':
      return gateway.startsWith(`${namespace}/`);
    case 'Selector':
      return listeners.has(id);
    case 'None':
      return false;
  }
}

/** `found`: hostnames by listener; with a refusal there are some still where a lost Secret is kept. */
function attachTo(
  route: RouteObject,
  { namespace, name, sectionName, port }: ParentRef,
  points: AttachPoints,
  selectedListeners: Selected,
): { found: [string, string[]][]; refusal: Refusal | undefined } {
  const refused = (reason: Refusal['reason'], message: string) => ({
    found: [],
    refusal: { reason, message },
  });
  const gateway = `Gateway "${namespace}/${name}"`;
  const listeners = points.get(`${namespace}/${name}`);
  if (!listeners) return refused('NoMatchingParent', `${gateway} does not exist`);
  const selected = listeners.filter(
    (point) =>
      (sectionName === undefined || point.section === sectionName) &&
      (port === undefined || point.port === port),
  );
  if (selected.length === 0) {
    const named = sectionName === undefined ? '' : ` "${sectionName}"`;
    const onPort = port === undefined ? '' : ` on port ${port}`;
    return refused('NoMatchingParent', `${gateway} has no listener${named}${onPort}`);
  }
  const own = namespaceOf(route);
  const allowed = selected.filter((point) => allows(point, own, selectedListeners));
  if (allowed.length === 0) {
    const why = refusedBySelector(selected, own, selectedListeners);
    const message = `${gateway} does not allow Routes of namespace "${own}"${why}`;
    return refused('NotAllowedByListeners', message);
  }
  const hosts = allowed.flatMap((point) => {
    const common = intersectHostnames(point.hostname, route.spec.hostnames ?? []);
    return common ? [{ point, common }] : [];
  });
  if (hosts.length === 0) {
    const message = `no hostname of the Route is one of ${gateway}: ${allowed
      .map(({ section, hostname }) => `listener "${section}" has "${hostname}"`)
      .join(', ')}`;
    return refused('NoMatchingListenerHostname', message);
  }
  const served = hosts.filter(({ point }) => point.served);
  const found = served.map(({ point, common }): [string, string[]] => [point.id, common]);
  if (served.some(({ point }) => point.out === '')) return { found, refusal: undefined };
  const why = hosts.map(
    ({ point }) =>
      `listener "${point.section}"${point.served ? ':' : ' is left out,'} ${point.out}`,
  );
  return { ...refused('NoMatchingParent', `${gateway}: ${why.join(', ')}`), found };
}

function refusedBySelector(
  points: readonly AttachPoint[],
  namespace: string,
  { known }: Selected,
): string {
  const choosy = points.filter(({ from }) => from === 'Selector').map(({ section }) => section);
  if (choosy.length === 0) return '';
  const listeners = choosy.map((section) => `"${section}"`).join(', ');
  return known
    ? `; its labels do not fit allowedRoutes.namespaces.selector of listener ${listeners}`
    : `; listener ${listeners} selects by label, and there is no Namespace "${namespace}" to read labels of`;
}
