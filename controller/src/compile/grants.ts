import { group, type ReferenceGrantObject } from '@gatehouse/crds';
import { namespaceOf } from './resources.ts';

/** An object that refers to another one. */
export type Referrer = { kind: 'Route' | 'Upstream' | 'Gateway'; namespace: string };

/** What is referred to. */
export type Referred = {
  kind: 'Service' | 'Upstream' | 'Secret';
  namespace: string;
  name: string;
  /** "<namespace>/<name>" */
  id: string;
};

/** Whether a reference to another namespace may be followed. */
export type Permits = (from: Referrer, to: Referred) => boolean;

const groups = {
  Route: group,
  Upstream: group,
  Gateway: 'gateway.networking.k8s.io',
  Service: '',
  Secret: '',
} as const;

type Targets = ReferenceGrantObject['spec']['to'];

/**
 * Gateway API, ReferenceGrant: a grant stands in the namespace that is referred to, and allows every
 * pair of its `from` and `to`. Grants add up.
 */
export function permissions(grants: readonly ReferenceGrantObject[]): Permits {
  // By namespace of the grant, then by kind and namespace of the referrer: there may be thousands.
  const index = new Map<string, Map<string, Map<string, Targets>>>();
  for (const grant of grants) {
    const byKind = entryOf(
      index,
      namespaceOf(grant),
      () => new Map<string, Map<string, Targets>>(),
    );
    for (const { group, kind, namespace } of grant.spec.from) {
      if (!isReferrer(kind) || group !== groups[kind]) continue;
      const byNamespace = entryOf(byKind, kind, () => new Map<string, Targets>());
      byNamespace.set(namespace, [...(byNamespace.get(namespace) ?? []), ...grant.spec.to]);
    }
  }
  return (from, { kind, namespace, name }) =>
    index
      .get(namespace)
      ?.get(from.kind)
      ?.get(from.namespace)
      ?.some(
        (to) =>
          to.kind === kind &&
          to.group === groups[kind] &&
          (to.name === undefined || to.name === '' || to.name === name),
      ) ?? false;
}

function isReferrer(kind: string): kind is Referrer['kind'] {
  return kind === 'Route' || kind === 'Upstream' || kind === 'Gateway';
}

function entryOf<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** What has to be done about a reference that no grant allows. */
export function missingGrant(from: Referrer, { kind, namespace, name, id }: Referred): string {
  const referrer = `${from.kind} (group "${groups[from.kind]}") in namespace "${from.namespace}"`;
  return (
    `${kind} "${id}" is in another namespace, which no ReferenceGrant allows: ` +
    `create one in namespace "${namespace}" from ${referrer} to ${kind} "${name}"`
  );
}
