import {
  type ConsumerObject,
  defaults,
  type EndpointSliceObject,
  type GatewayObject,
  type NamespaceObject,
  type PolicyObject,
  type ReferenceGrantObject,
  type RouteObject,
  type SecretObject,
  type ServiceObject,
  type UpstreamObject,
} from '@gatehouse/crds';
import type { DiscoveryObject } from '../store/discovery.ts';

/**
 * All that is compiled. The order of the lists has no meaning; namespace and name are unique within
 * a list. Objects are never changed in place: a changed object is a new one.
 */
export type Resources = {
  routes: RouteObject[];
  upstreams: UpstreamObject[];
  gateways: GatewayObject[];
  services: ServiceObject[];
  endpointSlices: EndpointSliceObject[];
  secrets: SecretObject[];
  /** Only their labels count. */
  namespaces: NamespaceObject[];
  referenceGrants: ReferenceGrantObject[];
  /** Of every kind. */
  policies: PolicyObject[];
  consumers: ConsumerObject[];
  /** What Consul and DNS say. */
  discoveries: DiscoveryObject[];
};

type Named = { metadata: { name: string; namespace?: string } };

export function namespaceOf(object: Named): string {
  return object.metadata.namespace ?? defaults.namespace;
}

/** "<namespace>/<name>" */
export function idOf(object: Named): string {
  return `${namespaceOf(object)}/${object.metadata.name}`;
}

export function byId<T extends Named>(objects: readonly T[]): Map<string, T> {
  return new Map(objects.map((object) => [idOf(object), object]));
}

/** Code unit order: the same on every replica, whatever its locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function sortedBy<T>(items: Iterable<T>, textOf: (item: T) => string): T[] {
  return [...items].sort((a, b) => compareText(textOf(a), textOf(b)));
}

/** Seconds since the epoch; 0 when unknown. */
export function createdAt(object: { metadata: { creationTimestamp?: string } }): number {
  const milliseconds = Date.parse(object.metadata.creationTimestamp ?? '');
  return Number.isNaN(milliseconds) ? 0 : Math.floor(milliseconds / 1000);
}
