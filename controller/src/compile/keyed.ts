import { type Key, keyOf, type Resource } from '@gatehouse/snapshot';

/** A resource beside its key: making 5,000 keys anew costs more than comparing 5,000 objects. */
export type Keyed = { key: Key; resource: Resource };

export function keyed(resource: Resource): Keyed {
  return { key: keyOf(resource.kind, resource.name), resource };
}
