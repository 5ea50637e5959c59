import { isDeepStrictEqual } from 'node:util';
import { defaults } from '@gatehouse/crds';
import { keyOf, type ObjectKey, type StoredKind, type StoredObject, type StoredOf } from './key.ts';

/** One batch: what a provider saw appear or change, and what it saw go. */
export type Changes = { put?: Iterable<StoredObject>; remove?: Iterable<ObjectKey> };

/** Gets the keys that a batch really changed; the store holds the new state by then. */
export type Listener = (changed: ReadonlySet<ObjectKey>) => void;

/** The objects that the providers know now, typed and validated. Objects are never changed in place. */
export type Store = {
  /** Applies a batch and notifies once, or not at all when nothing differs. */
  apply(changes: Changes): void;
  get(key: ObjectKey): StoredObject | undefined;
  /** Objects of a kind, in no particular order: the same array until one of them changes. */
  list<K extends StoredKind>(kind: K): readonly StoredOf<K>[];
  /** Returns the function that ends the subscription. */
  subscribe(listener: Listener): () => void;
};

/**
 * An empty store. An object that is put again with equal content keeps its identity, so whoever
 * memoises by object (compile does) has nothing to do for it. A missing namespace becomes "default".
 */
export function createStore(): Store {
  const objects = new Map<ObjectKey, StoredObject>();
  const lists = new Map<StoredKind, readonly StoredObject[]>();
  const listeners = new Set<Listener>();

  return {
    apply({ put = [], remove = [] }) {
      const changed = new Set<ObjectKey>();
      for (const key of remove) if (objects.delete(key)) changed.add(key);
      for (const entering of put) {
        const object = withNamespace(entering);
        const key = keyOf(object);
        if (isDeepStrictEqual(objects.get(key), object)) continue;
        objects.set(key, object);
        changed.add(key);
      }
      if (changed.size === 0) return;
      for (const key of changed) lists.delete(kindOf(key));
      for (const listener of [...listeners]) listener(changed);
    },

    get: (key) => objects.get(key),

    list<K extends StoredKind>(kind: K) {
      let list = lists.get(kind);
      if (!list) {
        list = [...objects.values()].filter((object) => object.kind === kind);
        lists.set(kind, list);
      }
      return list as readonly StoredOf<K>[];
    },

    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}

function kindOf(key: ObjectKey): StoredKind {
  return key.slice(0, key.indexOf('/')) as StoredKind;
}

function withNamespace<T extends StoredObject>(object: T): T {
  if (object.metadata.namespace !== undefined) return object;
  return { ...object, metadata: { ...object.metadata, namespace: defaults.namespace } };
}
