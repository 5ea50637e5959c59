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

/**
 * Gateway API, ReferenceGrant: a grant stands in the namespace that is referred to, and allows every
 * pair of its `from` and `to`. Grants add up.
 */
export function permissions(grants: readonly ReferenceGrantObject[]): Permits {
  const byNamespace = Map.groupBy(grants, namespaceOf);
  return (from, to) =>
    byNamespace
      .get(to.namespace)
      ?.some(
        ({ spec }) =>
          spec.from.some(
            ({ group, kind, namespace }) =>
              group === groups[from.kind] && kind === from.kind && namespace === from.namespace,
          ) &&
          spec.to.some(
            ({ group, kind, name }) =>
              group === groups[to.kind] &&
              kind === to.kind &&
              (name === undefined || name === '' || name === to.name),
          ),
      ) ?? false;
}

/** What has to be done about a reference that no grant allows. */
export function missingGrant(from: Referrer, { kind, namespace, name, id }: Referred): string {
  const referrer = `${from.kind} (group "${groups[from.kind]}") in namespace "${from.namespace}"`;
  return (
    `${kind} "${id}" is in another namespace, which no ReferenceGrant allows: ` +
    `create one in namespace "${namespace}" from ${referrer} to ${kind} "${name}"`
  );
}
