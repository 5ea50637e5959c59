import {
  applyUpdate,
  BrokenUpdate,
  emptySet,
  type Key,
  keyOf,
  type Lane,
  type Ledger,
  ledgerOf,
  type Refusal,
  type Resource,
  type ResourceSet,
  sameHash,
  type Update,
} from '@gatehouse/snapshot';

/** By what the next set differs from the one in use; everything as long as none is. */
export interface Change {
  put: Resource[];
  remove: Key[];
}

/** Why a resource cannot be used; `path` points into it, empty when it concerns the whole. */
export type Refused = Pick<Refusal, 'kind' | 'name' | 'path' | 'reason'> & { notice?: boolean };

/** The answer of the data plane to an update: all of it is in use, or none of it. */
export type Applied = { ok: true } | { ok: false; refusals: Refused[] };

/** Puts `next` in use as a whole. Called for one update at a time, in the order of arrival. */
export type Apply = (lane: Lane, next: ResourceSet, change: Change) => Promise<Applied>;

/** A complete set of both lanes. */
export interface Held {
  config: ResourceSet;
  endpoints: ResourceSet;
  /** How many data planes share limits; left out when that was never told. */
  replicas?: number;
}

export type Answer =
  | { ok: true; version: string }
  | { ok: false; version: string; refusals: Refused[]; resend: boolean; reason: string };

/** One lane of the data plane: its set is replaced only by an update that was applied whole. */
export class SubscribedLane {
  readonly lane: Lane;
  set: ResourceSet;
  /** Of the set. */
  #ledger: Ledger;
  /** False until `apply` took a set: what is held, or an empty first set, has to be linked as well. */
  #inUse = false;
  readonly #held: boolean;

  constructor(lane: Lane, held: ResourceSet | undefined) {
    this.lane = lane;
    this.set = held ?? emptySet;
    this.#ledger = ledgerOf(this.set);
    this.#held = held !== undefined;
  }

  get version(): string {
    return this.#ledger.version;
  }

  /** Puts the held set in use unless something is in use already. Undefined when there was no need. */
  async useHeld(apply: Apply): Promise<Applied | undefined> {
    if (this.#inUse || !this.#held) return undefined;
    const applied = await apply(this.lane, this.set, { put: [...this.set.values()], remove: [] });
    if (applied.ok) this.#inUse = true;
    return applied;
  }

  /** @throws whatever `apply` throws; the old set then stays. */
  async take(update: Update, apply: Apply): Promise<Answer> {
    const { version } = update;
    let ledger = this.#ledger;
    let next: ResourceSet;
    try {
      next = applyUpdate(this.set, update, (set) => {
        ledger = update.full ? ledgerOf(set) : ledger.after(this.set, changeIn(update));
        return ledger.version;
      });
    } catch (error) {
      if (!(error instanceof BrokenUpdate)) throw error;
      return { ok: false, version, refusals: [], resend: true, reason: error.message };
    }
    const change = this.#changeOf(update, next);
    // Whoever asked for everything again wants all of it put in use again.
    if (this.#inUse && update.put.length + change.remove.length === 0) return { ok: true, version };
    const applied = await apply(this.lane, next, change);
    if (!applied.ok) {
      const { refusals } = applied;
      const reason = refusals.map((r) => `${r.name}: ${r.path} ${r.reason}`).join('; ');
      return { ok: false, version, refusals, resend: false, reason };
    }
    this.set = next;
    this.#ledger = ledger;
    this.#inUse = true;
    return { ok: true, version };
  }

  #changeOf(update: Update, next: ResourceSet): Change {
    if (!this.#inUse) return { put: [...next.values()], remove: goneFrom(this.set, next) };
    const { put, remove } = changeIn(update);
    return {
      put: put.filter(({ kind, name, hash }) => {
        const held = this.set.get(keyOf(kind, name));
        return held === undefined || !sameHash(held.hash, hash);
      }),
      remove: update.full ? goneFrom(this.set, next) : remove.filter((key) => this.set.has(key)),
    };
  }
}

function changeIn({ put, remove }: Update): Change {
  return { put, remove: remove.map(({ kind, name }) => keyOf(kind, name)) };
}

function goneFrom(held: ResourceSet, next: ResourceSet): Key[] {
  return [...held.keys()].filter((key) => !next.has(key));
}
