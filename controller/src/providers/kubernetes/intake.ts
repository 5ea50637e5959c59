import { isDeepStrictEqual } from 'node:util';
import { type AnyObject, faultsOf, type Problem } from '@gatehouse/crds';
import type { ObjectKey } from '../../store/key.ts';
import type { Store } from '../../store/store.ts';
import type { Admitted } from './admit.ts';
import type { Sink } from './reflector.ts';

/** What is known of an object beside its content. */
export interface Seen {
  uid: string;
  generation: number;
  /** resourceVersion with which its content changed last, or that it had when it was listed. */
  version: number;
  /** resourceVersion with which it was seen last. */
  latest: number;
  status: unknown;
  /** Why the generation is not in use; its last good version is, when there is one. */
  problems: readonly Problem[];
}

export interface Intake extends Sink<Admitted> {
  /** Decides again which objects are ours. */
  refilter(): void;
}

export interface IntakeOptions {
  store: Store;
  read(object: unknown): Admitted;
  /** Which objects are ours; all when left out. */
  isOurs?(admitted: Admitted): boolean;
  /** Entries appear, change and go here; only where `keepsSeen`. */
  seen: Map<ObjectKey, Seen>;
  keepsSeen: boolean;
  /** The collection has been followed up to this version. */
  onProgress(version: number): void;
  /** An object that cannot be used as it is, or has fields that are not known. */
  onOddity(admitted: Admitted, kept: boolean): void;
}

/**
 * Brings one collection into the store. An object that is not sound keeps its last good version there
 * until it is deleted.
 */
export function intake(options: IntakeOptions): Intake {
  const { store, read, isOurs = () => true, seen, keepsSeen, onProgress, onOddity } = options;
  /** All objects of the collection; what is not ours only as long as there is a choice. */
  const held = new Map<ObjectKey, Admitted | undefined>();
  const used = new Set<ObjectKey>();

  function collect(items: Iterable<Admitted>) {
    const put: AnyObject[] = [];
    const remove: ObjectKey[] = [];
    for (const item of items) {
      const { key } = item;
      const object = item.object ?? (hasGood(key) ? undefined : item.closed);
      held.set(key, options.isOurs ? item : undefined);
      if (!isOurs(item)) {
        if (used.delete(key)) remove.push(key);
        seen.delete(key);
        continue;
      }
      const fresh = !isDeepStrictEqual(store.get(key), object);
      if (item.problems.length > 0 || (fresh && item.unknown.length > 0)) {
        if (seen.get(key)?.generation !== item.generation || !keepsSeen) {
          onOddity(item, used.has(key));
        }
      }
      if (keepsSeen) seen.set(key, seenOf(item, fresh, seen.get(key)));
      if (object === undefined) continue;
      used.add(key);
      put.push(object);
    }
    return { put, remove };
  }

  /** Whether a version that was sound is in use. */
  function hasGood(key: ObjectKey): boolean {
    const inUse = used.has(key) ? store.get(key) : undefined;
    if (inUse?.kind !== 'AuthPolicy') return inUse !== undefined;
    return faultsOf(inUse).length === 0;
  }

  function drop(key: ObjectKey): ObjectKey[] {
    held.delete(key);
    seen.delete(key);
    return used.delete(key) ? [key] : [];
  }

  return {
    read,
    replace(items, resourceVersion) {
      const present = new Set(items.map(({ key }) => key));
      const gone = [...held.keys()].filter((key) => !present.has(key)).flatMap(drop);
      const { put, remove } = collect(items);
      onProgress(Number(resourceVersion));
      store.apply({ put, remove: [...gone, ...remove] });
    },
    change(changes, resourceVersion) {
      // Only the last change of an object counts, and the store takes removals first.
      const last = new Map(changes.map(({ type, item }) => [item.key, { type, item }]));
      const gone = [...last.values()].filter(({ type }) => type === 'remove');
      const stay = [...last.values()].filter(({ type }) => type === 'put');
      const removed = gone.flatMap(({ item }) => drop(item.key));
      const { put, remove } = collect(stay.map(({ item }) => item));
      onProgress(Number(resourceVersion));
      store.apply({ put, remove: [...removed, ...remove] });
    },
    refilter() {
      const items = [...held.values()].filter((item) => item !== undefined);
      store.apply(collect(items));
    },
  };
}

function seenOf(item: Admitted, fresh: boolean, before: Seen | undefined): Seen {
  const { uid, generation, version, status, problems } = item;
  const same = before !== undefined && before.uid === uid && before.generation === generation;
  return {
    uid,
    generation,
    version: same && !fresh ? before.version : version,
    latest: version,
    status,
    problems: same && !fresh ? before.problems : problems,
  };
}
