import type { KeySet } from '@gatehouse/crds';
import type { Identity } from '../../filter.ts';

/** A token that was verified, and what it rests on. */
type Verified = {
  token: string;
  identity: Identity;
  /** Milliseconds since 1970. */
  until: number;
  source: KeySource;
  keys: KeySet;
  owner: Map<string, Verified>;
  slot: number;
  /** Asked for since the hand has last passed. */
  used: boolean;
};

/** Where the keys of an issuer come from. A set that has changed is another object. */
export type KeySource = { readonly keys: KeySet | undefined };

/** Tokens that one method has verified. */
export type TokenCache = {
  /** Undefined when it is not known, has expired, or its keys are not those in force any more. */
  get(token: string, at: number): Identity | undefined;
  /** @param until milliseconds since 1970 */
  put(token: string, identity: Identity, until: number, source: KeySource): void;
};

/** Bytes that a token of `length` characters takes with its identity and the lines made of it. */
const sizeOf = (length: number) => 3 * length + 512;

/** What all methods of a thread keep together: the bounds hold for their sum. */
export class VerifiedTokens {
  readonly #most: number;
  readonly #mostBytes: number;
  readonly #slots: (Verified | undefined)[] = [];
  readonly #free: number[] = [];
  #bytes = 0;
  #hand = 0;

  /** @param bounds `entries` at least 1 */
  constructor(bounds: { entries: number; bytes: number } = { entries: 10_000, bytes: 32 << 20 }) {
    this.#most = bounds.entries;
    this.#mostBytes = bounds.bytes;
  }

  get size(): number {
    return this.#slots.length - this.#free.length;
  }

  /** The cache of one method. */
  open(): TokenCache {
    const known = new Map<string, Verified>();
    return {
      get: (token, at) => {
        const entry = known.get(token);
        if (entry === undefined) return undefined;
        if (at >= entry.until || entry.source.keys !== entry.keys) {
          this.#drop(entry);
          return undefined;
        }
        entry.used = true;
        return entry.identity;
      },
      put: (token, identity, until, source) => {
        const before = known.get(token);
        if (before) this.#drop(before);
        const { keys } = source;
        if (keys && Date.now() < until) this.#put({ token, identity, until, source, keys }, known);
      },
    };
  }

  #put(about: Omit<Verified, 'owner' | 'slot' | 'used'>, owner: Map<string, Verified>) {
    const bytes = sizeOf(about.token.length);
    if (bytes > this.#mostBytes) return;
    while (this.size >= this.#most || this.#bytes + bytes > this.#mostBytes) this.#evict();
    // Cut out of a head, the text would keep the whole head in memory.
    const token = Buffer.from(about.token, 'latin1').toString('latin1');
    const slot = this.#free.pop() ?? this.#slots.length;
    const entry: Verified = { ...about, token, owner, slot, used: false };
    this.#slots[slot] = entry;
    this.#bytes += bytes;
    owner.set(token, entry);
  }

  /** The clock: a token goes when the hand finds that nobody has asked for it since it last came by. */
  #evict() {
    for (;;) {
      this.#hand = (this.#hand + 1) % this.#slots.length;
      const entry = this.#slots[this.#hand];
      if (entry === undefined) continue;
      if (!entry.used || entry.source.keys !== entry.keys) return this.#drop(entry);
      entry.used = false;
    }
  }

  #drop({ token, owner, slot }: Verified) {
    owner.delete(token);
    this.#slots[slot] = undefined;
    this.#free.push(slot);
    this.#bytes -= sizeOf(token.length);
  }
}
