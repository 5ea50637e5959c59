import {
  emptySet,
  hex,
  type Key,
  Kind,
  keyOf,
  type Manifest,
  manifestOf,
  type Resource,
  type ResourceSet,
  splitKey,
  versionOfManifest,
} from '@gatehouse/snapshot';
import { closedPolicy } from './closed-policy.ts';

/** Why a data plane does not take a resource. */
export interface RefusedBy {
  node: string;
  /** Path inside the resource; empty when it concerns the whole. */
  path: string;
  reason: string;
  /** Of what is told at run time: it works as it should. */
  notice?: boolean;
}

/** What is pushed on a lane: the compiled set, with others in place of what was refused. */
export interface Effective {
  set: ResourceSet;
  manifest: Manifest;
  version: string;
  /** Held-back keys that are left out; whoever has an accepted version of one keeps it. */
  missing: ReadonlySet<Key>;
  /** Keys that could not be compiled; whoever holds one keeps it as it is. */
  keep: ReadonlySet<Key>;
}

const nothing: ReadonlySet<Key> = new Set();

/** Does nothing by itself, but an older version of another resource may need it. */
export function isDependency(key: Key): boolean {
  const { kind } = splitKey(key);
  return kind === Kind.UPSTREAM || kind === Kind.SECRET;
}

/**
 * How many accepted versions of a resource are remembered: the newest may be refused later by
 * another data plane, then the one before it is used.
 */
const remembered = 2;

/** One lane of the fleet: what was compiled, refused and accepted, and what follows from it. */
export class EffectiveLane {
  #compiled: ResourceSet = emptySet;
  #current: Effective | undefined;
  /** What was built last, as the next is much the same. */
  #last: Effective | undefined;
  #version: string | undefined;
  #keep: ReadonlySet<Key> = nothing;
  /** By key and hash; only for the hash that was compiled and what replaced it since. */
  readonly #refused = new Map<Key, { compiled: string; by: Map<string, RefusedBy[]> }>();
  readonly #accepted = new Map<Key, Resource[]>();

  get compiled(): ResourceSet {
    return this.#compiled;
  }

  /** Undefined until the first compile. */
  get effective(): Effective | undefined {
    if (this.#version === undefined) return undefined;
    this.#current ??= this.#build(this.#version);
    this.#last = this.#current;
    return this.#current;
  }

  /** Holds end for resources whose content changed. */
  publish(compiled: ResourceSet, version: string, keep: ReadonlySet<Key> = nothing): void {
    if (version === this.#version && sameKeys(keep, this.#keep)) return;
    this.#keep = keep;
    const before = this.#current?.set ?? emptySet;
    const held = this.#refused.size > 0;
    this.#compiled = compiled;
    this.#version = version;
    this.#current = undefined;
    for (const [key, hold] of this.#refused) {
      const resource = compiled.get(key);
      if (resource === undefined || hex(resource.hash) !== hold.compiled) this.#refused.delete(key);
    }
    // What just went may still be needed, should the new version of its user be refused.
    for (const key of this.#accepted.keys()) {
      if (!compiled.has(key) && !held && !before.has(key)) this.#accepted.delete(key);
    }
  }

  accept(resources: Iterable<Resource>): void {
    for (const resource of resources) {
      const key = keyOf(resource.kind, resource.name);
      if (!this.#compiled.has(key)) continue;
      const before = this.#accepted.get(key) ?? [];
      if (before[0] === resource) continue;
      const others = before.filter((one) => hex(one.hash) !== hex(resource.hash));
      this.#accepted.set(key, [resource, ...others].slice(0, remembered));
    }
  }

  refuse(key: Key, hash: string, refused: RefusedBy): void {
    this.#current = undefined;
    const compiled = this.#compiled.get(key);
    if (compiled === undefined) {
      // It was deleted meanwhile: there is nothing to hold, only an old version not to use again.
      this.#accepted.delete(key);
      return;
    }
    const hold = this.#refused.get(key) ?? {
      compiled: hex(compiled.hash),
      by: new Map<string, RefusedBy[]>(),
    };
    this.#refused.set(key, hold);
    const others = (hold.by.get(hash) ?? []).filter(({ node }) => node !== refused.node);
    hold.by.set(hash, [...others, refused]);
  }

  isRefused(key: Key, hash: string): boolean {
    return this.#refused.get(key)?.by.has(hash) ?? false;
  }

  /** Who refused the compiled version of each held-back resource. */
  get heldBack(): ReadonlyMap<Key, readonly RefusedBy[]> {
    const held = new Map<Key, readonly RefusedBy[]>();
    for (const [key, { compiled, by }] of this.#refused) {
      const refusals = by.get(compiled);
      if (refusals !== undefined) held.set(key, refusals);
    }
    return held;
  }

  #build(version: string): Effective {
    const keep = this.#keep;
    if (this.#refused.size === 0) {
      const manifest = manifestAfter(this.#last, this.#compiled);
      return { set: this.#compiled, manifest, version, missing: nothing, keep };
    }
    const set = new Map(this.#compiled);
    const missing = new Set<Key>();
    for (const [key, compiled] of this.#compiled) {
      if (!this.isRefused(key, hex(compiled.hash))) continue;
      const accepted = this.#accepted.get(key) ?? [];
      const closed = compiled.kind === Kind.POLICY ? closedPolicy(compiled) : undefined;
      const candidates = closed ? [...accepted, closed] : accepted;
      const other = candidates.find(({ hash }) => !this.isRefused(key, hex(hash)));
      if (other !== undefined) {
        set.set(key, other);
      } else {
        set.delete(key);
        missing.add(key);
      }
    }
    for (const [key, [newest]] of this.#accepted) {
      if (newest !== undefined && !this.#compiled.has(key) && isDependency(key)) {
        set.set(key, newest);
      }
    }
    const manifest = manifestAfter(this.#last, set);
    return { set, manifest, version: versionOfManifest(manifest), missing, keep };
  }
}

function sameKeys(a: ReadonlySet<Key>, b: ReadonlySet<Key>): boolean {
  return a === b || (a.size === b.size && a.isSubsetOf(b));
}

/** Like `manifestOf`; what did not change need not be written as text again. */
function manifestAfter(before: Effective | undefined, set: ResourceSet): Manifest {
  if (before === undefined) return manifestOf(set);
  const manifest = new Map<Key, string>();
  for (const [key, resource] of set) {
    const known = before.set.get(key) === resource ? before.manifest.get(key) : undefined;
    manifest.set(key, known ?? hex(resource.hash));
  }
  return manifest;
}
