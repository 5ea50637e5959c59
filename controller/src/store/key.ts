import { type AnyObject, defaults, type Kind } from '@gatehouse/crds';

/** Identity of an object: `kind/namespace/name`. */
export type ObjectKey = `${Kind}/${string}/${string}`;

export function objectKey(kind: Kind, namespace: string | undefined, name: string): ObjectKey {
  return `${kind}/${namespace ?? defaults.namespace}/${name}`;
}

export function keyOf(object: AnyObject): ObjectKey {
  return objectKey(object.kind, object.metadata.namespace, object.metadata.name);
}
