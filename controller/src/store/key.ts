import { type AnyObject, defaults, type Kind, type ObjectOf } from '@gatehouse/crds';
import type { DiscoveryObject } from './discovery.ts';

/** Kinds of the store: those that are read somewhere, and one that providers make. */
export type StoredKind = Kind | 'Discovery';
export type StoredObject = AnyObject | DiscoveryObject;
export type StoredOf<K extends StoredKind> = K extends Kind ? ObjectOf<K> : DiscoveryObject;

/** Identity of an object: `kind/namespace/name`. */
export type ObjectKey = `${StoredKind}/${string}/${string}`;

export function objectKey(
  kind: StoredKind,
  namespace: string | undefined,
  name: string,
): ObjectKey {
  return `${kind}/${namespace ?? defaults.namespace}/${name}`;
}

export function keyOf({ kind, metadata }: StoredObject): ObjectKey {
  return objectKey(kind, metadata.namespace, metadata.name);
}
