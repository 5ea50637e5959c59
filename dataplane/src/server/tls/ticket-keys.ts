import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import type { Certificate } from '../../link/runtime.ts';

/** Milliseconds that tickets are sealed with a key; those of the period before are still opened. */
export const ticketPeriod = 3_600_000;
/** Bytes of the name, with which a ticket begins. */
export const keyNameLength = 16;
/** Name, cipher key and MAC key, as Node wants them. */
const keyLength = 48;

export function periodOf(time: number): number {
  return Math.floor(time / ticketPeriod);
}

/** Where ticket keys of a process come from; plain data, so that threads can be handed it. */
export type TicketSeed = { period: number; current: Uint8Array; previous: Uint8Array };

/**
 * A random secret that each period replaces by a hash of itself. Threads that were handed the same one agree
 * from then on without a word, and nobody can get back from what is in memory to keys that are gone.
 */
export class TicketSeeds {
  #period: number;
  #current: Uint8Array;
  #previous: Uint8Array;

  /** @param seed of whom to agree with; a new one when left out. */
  constructor(seed: TicketSeed = newSeed()) {
    this.#period = seed.period;
    this.#current = Uint8Array.from(seed.current);
    this.#previous = Uint8Array.from(seed.previous);
  }

  /** What another thread starts with. */
  handOver(): TicketSeed {
    this.#advance(periodOf(Date.now()));
    const [current, previous] = [Uint8Array.from(this.#current), Uint8Array.from(this.#previous)];
    return { period: this.#period, current, previous };
  }

  /** The secret of a period; undefined when it is gone or to come. */
  of(period: number): Uint8Array | undefined {
    this.#advance(periodOf(Date.now()));
    if (period === this.#period) return this.#current;
    return period === this.#period - 1 ? this.#previous : undefined;
  }

  #advance(to: number) {
    while (this.#period < to) {
      this.#previous.fill(0);
      this.#previous = this.#current;
      this.#current = derived(this.#current, 'next', 32);
      this.#period++;
    }
  }
}

function newSeed(): TicketSeed {
  return { period: periodOf(Date.now()), current: randomBytes(32), previous: randomBytes(32) };
}

/** The key of a period, or undefined when there is none: tickets are then not opened. */
export type TicketKeys = (period: number) => Buffer | undefined;

/** Keys that the threads of this process have in common, one for the terms of each listener and certificate. */
export function ownTicketKeys(seeds: TicketSeeds, scope: string): TicketKeys {
  return (period) => {
    const secret = seeds.of(period);
    return secret && Buffer.from(derived(secret, scope, keyLength));
  };
}

/**
 * Keys that all data planes have in common that hold this private key (docs/adr/0014-tls-termination.md). Only for
 * TLS 1.3: its tickets do not hold what a recorded session could be read with, those of TLS 1.2 do.
 */
export function fleetTicketKeys(privateKey: Buffer, scope: string): TicketKeys {
  const secret = derived(privateKey, 'gatehouse session tickets', 32);
  return (period) => Buffer.from(derived(secret, `${period} ${scope}`, keyLength));
}

function derived(secret: Uint8Array, purpose: string, length: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', purpose, length));
}

/** Whose sessions they are: one is never resumed by other terms or with another key. */
export function ticketScope({ terms, secret, pem }: Certificate): string {
  const key = createHash('sha256').update(pem.key).digest('base64');
  return JSON.stringify([terms.listener, terms.minVersion, secret, key]);
}
