import { create } from '@bufbuild/protobuf';
import {
  type Key,
  keyOf,
  type Lane,
  type Manifest,
  type Nack,
  type Refusal,
  type Resource,
  splitKey,
  type Update,
  UpdateSchema,
  versionOfManifest,
} from '@gatehouse/snapshot';
import type { Effective } from './effective.ts';

/** Largest update, in bytes of its resources. */
const updateBytes = 64 * 1024 * 1024;

export type Keeps = (key: Key, hash: string) => boolean;

interface Pending {
  version: string;
  manifest: Manifest;
  /** In use once it is acknowledged, as far as that was not known before. */
  news: Iterable<Resource>;
  full: boolean;
}

/** A target with what is kept beside it, as text, too. */
interface Merged {
  effective: Effective;
  text: string;
  manifest: Manifest;
  version: string;
}

/** An update that was refused as a whole. */
export interface RefusedUpdate {
  version: string;
  reason: string;
}

/** What a data plane holds on one lane, and what is on its way. No clock and no I/O. */
export class SessionLane {
  readonly lane: Lane;
  manifest: Manifest;
  version: string;
  refused: RefusedUpdate | undefined;
  #pending: Pending | undefined;
  #merged: Merged | undefined;
  /** The first update after Hello is sent even when nothing differs: it says "you are current". */
  #told = false;
  #acknowledged = false;
  #full: boolean;

  constructor(lane: Lane, held: Manifest) {
    this.lane = lane;
    this.manifest = held;
    this.version = versionOfManifest(held);
    this.#full = held.size === 0;
  }

  get waiting(): boolean {
    return this.#pending !== undefined;
  }

  /**
   * The next update, which then is the unanswered one; undefined when there is nothing to send or
   * one is unanswered. `keeps` decides which held resources outside the target stay; none when undefined.
   * With `anyway` there is something to send beside resources.
   */
  next(effective: Effective, keeps?: Keeps, anyway = false): Update | undefined {
    if (this.#pending !== undefined) return undefined;
    const full = this.#full;
    const kept = keeps === undefined ? [] : this.#kept(effective, keeps);
    const { manifest, version } = kept.length === 0 ? effective : this.#with(effective, kept);
    if (version === this.refused?.version) return undefined;
    if (this.#told && !full && !anyway && version === this.version) return undefined;
    const held = full ? new Map<Key, string>() : without(this.manifest, kept);
    const { put, remove } = differenceTo(effective, held);
    const bytes = sizeOf(put);
    if (bytes > updateBytes) {
      const mebibytes = Math.ceil(bytes / 1024 / 1024);
      this.refused = {
        version,
        reason: `an update of ${mebibytes} MiB is above the limit of 64 MiB`,
      };
      return undefined;
    }
    this.#told = true;
    this.#full = false;
    const news = this.#acknowledged ? put : effective.set.values();
    this.#pending = { version, manifest, news, full };
    return create(UpdateSchema, {
      lane: this.lane,
      version,
      full,
      put,
      remove: remove.map((key) => splitKey(key)),
      keep: full ? kept.map(([key]) => splitKey(key)) : [],
    });
  }

  /** The resources that are in use now; undefined when no such update is unanswered. */
  ack(version: string): Iterable<Resource> | undefined {
    const pending = this.#pending;
    if (pending?.version !== version) return undefined;
    this.#pending = undefined;
    this.refused = undefined;
    this.manifest = pending.manifest;
    this.version = version;
    this.#acknowledged = true;
    return pending.news;
  }

  /**
   * Takes a refusal. Undefined when it is no answer to the unanswered update: then it can only ask
   * for everything. `refused` says which version of each named resource was refused.
   */
  nack({ version, resend, refusals }: Nack): { refused: Manifest; broken: boolean } | undefined {
    const pending = this.#pending;
    if (resend) {
      this.#full = true;
      this.refused = undefined;
    }
    if (pending?.version !== version) return undefined;
    this.#pending = undefined;
    // A lane that breaks twice is not sent a third time on this stream.
    if (resend) return { refused: new Map(), broken: pending.full };
    const refused = new Map<Key, string>();
    for (const { kind, name } of refusals) {
      const key = keyOf(kind, name);
      const hash = pending.manifest.get(key);
      if (hash !== undefined) refused.set(key, hash);
    }
    // Nothing can be held back, so the same update would be refused for ever.
    if (refused.size === 0) this.refused = { version, reason: reasonOf(refusals) };
    return { refused, broken: false };
  }

  /** Asked for at every wake, for as long as something is kept: made once. */
  #with(effective: Effective, kept: [Key, string][]): Merged {
    const text = kept.join();
    if (this.#merged?.effective !== effective || this.#merged.text !== text) {
      const manifest = new Map([...effective.manifest, ...kept]);
      this.#merged = { effective, text, manifest, version: versionOfManifest(manifest) };
    }
    return this.#merged;
  }

  #kept(effective: Effective, keeps: Keeps): [Key, string][] {
    const kept: [Key, string][] = [];
    for (const [key, hash] of this.manifest) {
      if (!effective.manifest.has(key) && keeps(key, hash)) kept.push([key, hash]);
    }
    return kept;
  }
}

function reasonOf(refusals: Refusal[]): string {
  const texts = refusals.map(({ name, path, reason }) =>
    [name, path, reason].filter((part) => part !== '').join(': '),
  );
  return texts.join('; ') || 'no reason was given';
}

/** Like `difference`, with the hashes that are at hand. */
function differenceTo({ set, manifest }: Effective, held: Manifest) {
  const put: Resource[] = [];
  const remove: Key[] = [];
  for (const [key, hash] of manifest) {
    const resource = held.get(key) === hash ? undefined : set.get(key);
    if (resource !== undefined) put.push(resource);
  }
  for (const key of held.keys()) if (!manifest.has(key)) remove.push(key);
  return { put, remove };
}

function without(manifest: Manifest, kept: [Key, string][]): Manifest {
  if (kept.length === 0) return manifest;
  const rest = new Map(manifest);
  for (const [key] of kept) rest.delete(key);
  return rest;
}

function sizeOf(resources: Resource[]): number {
  let bytes = 0;
  // 32: tags, lengths and the hash; a name of the longest kind is ASCII.
  for (const { name, body } of resources) bytes += body.byteLength + name.length + 32;
  return bytes;
}
