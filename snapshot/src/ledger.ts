import type { Resource } from './generated/snapshot_pb.js';
import { type Key, keyOf, manifestLine, type ResourceSet, versionOfLines } from './resource-set.ts';

/** The keys and hashes of a set in order: its version, and those of sets that follow from it, cost little. */
export type Ledger = {
  /** As `versionOf` tells it. */
  readonly version: string;
  /**
   * What comes of it by a change. Costs as much as the change has resources, beside one pass over text.
   * @param held the set that this is the ledger of.
   */
  after(held: ResourceSet, change: { put: readonly Resource[]; remove: readonly Key[] }): Ledger;
};

export function ledgerOf(set: ResourceSet): Ledger {
  const lines: string[] = [];
  for (const [key, { hash }] of set) lines.push(manifestLine(key, hash));
  return ledger(lines.sort());
}

/** Above this share of changed resources everything is sorted anew. */
const few = 0.1;

function ledger(lines: readonly string[]): Ledger {
  return {
    version: versionOfLines(lines),
    after(held, { put, remove }) {
      const changed = new Map<Key, Resource | undefined>(remove.map((key) => [key, undefined]));
      for (const resource of put) changed.set(keyOf(resource.kind, resource.name), resource);
      if (changed.size > held.size * few) return ledgerOf(changedSet(held, changed));
      const next = [...lines];
      for (const [key, resource] of changed) {
        const before = held.get(key);
        if (before !== undefined) take(next, manifestLine(key, before.hash));
        if (resource !== undefined) insert(next, manifestLine(key, resource.hash));
      }
      return ledger(next);
    },
  };
}

function changedSet(held: ResourceSet, changed: ReadonlyMap<Key, Resource | undefined>) {
  const next = new Map(held);
  for (const [key, resource] of changed) {
    if (resource === undefined) next.delete(key);
    else next.set(key, resource);
  }
  return next;
}

function take(lines: string[], line: string): void {
  const place = placeOf(lines, line);
  if (lines[place] === line) lines.splice(place, 1);
}

function insert(lines: string[], line: string): void {
  lines.splice(placeOf(lines, line), 0, line);
}

/** Of the first line that does not come before it. */
function placeOf(lines: readonly string[], line: string): number {
  let [from, to] = [0, lines.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((lines[middle] ?? '') < line) from = middle + 1;
    else to = middle;
  }
  return from;
}
