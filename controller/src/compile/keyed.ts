import {
  hex,
  type Key,
  keyOf,
  type Resource,
  type ResourceSet,
  versionOfManifest,
} from '@gatehouse/snapshot';

/** A resource with its key and hash as text: making 5,000 of them anew costs several milliseconds. */
export type Keyed = { key: Key; hash: string; resource: Resource };

export function keyed(resource: Resource): Keyed {
  return {
    key: keyOf(resource.kind, resource.name),
    hash: hex(resource.hash),
    resource,
  };
}

/** The set of one lane and its version; of resources that come twice one is kept. */
export function joinLane(resources: readonly Keyed[]): { set: ResourceSet; version: string } {
  const set = new Map<Key, Resource>();
  const manifest = new Map<Key, string>();
  for (const { key, hash, resource } of resources) {
    set.set(key, resource);
    manifest.set(key, hash);
  }
  return { set, version: versionOfManifest(manifest) };
}
