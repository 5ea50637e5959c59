import type { CounterState, Demand } from './algorithms.ts';

/** Slots of a row, the last of which is for all that find no other. */
const slotsPerRow = 8;
/** A slot: a hash of 64 bits, then `until`, `a` and `b`. A row: its lock, then its slots. In words of 32 bits. */
const slotWords = 8;
const rowWords = 2 + slotsPerRow * slotWords;
const rows = 32_768;

/** About 8.6 MiB for up to 229,376 counters beside those that overflow; pages are touched when used. */
export const tableBytes = rows * rowWords * 4;

/**
 * Turns of spinning before a thread sleeps for the lock. A holder that has ended is found by whoever
 * started it; one that is stuck for so many milliseconds loses the lock.
 */
const spins = 2000;
const stuckHolder = 1000;

/** What is asked of one counter, and where that is. */
export type CounterDemand = Demand & { high: number; low: number };

/**
 * Counters in memory that all worker threads share. Judging all counters of a request and taking from
 * them is one step. Only what says nothing any more makes room: without room, new keys of a row share
 * one counter, and nobody's counter is lost.
 */
export class CounterTable {
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #onOverflow: () => void;
  readonly #owner: number;
  readonly #locked: number[] = [];
  readonly #slots: number[] = [];
  readonly #state: CounterState = { until: 0, a: 0, b: 0 };

  /**
   * @param memory of `tableBytes`, zeroed when it is new.
   * @param owner of locks: a number above 0 that no other thread has.
   */
  constructor(memory: SharedArrayBuffer, onOverflow: () => void, owner = 1) {
    this.#words = new Int32Array(memory);
    this.#numbers = new Float64Array(memory);
    this.#onOverflow = onOverflow;
    this.#owner = owner;
  }

  /**
   * Judges the demands, and takes when all allow it.
   * @param now milliseconds, more than 0, of a clock that all threads share and that never goes back.
   */
  take(demands: readonly CounterDemand[], now: number): boolean {
    this.#lock(demands);
    let allowed = true;
    for (let i = 0; i < demands.length; i++) {
      const demand = demands[i];
      if (!demand) continue;
      const slot = this.#find(demand, now, i);
      this.#slots[i] = slot;
      demand.algorithm.judge(demand, this.#read(slot), now);
      allowed &&= demand.allowed;
    }
    if (allowed) {
      for (let i = 0; i < demands.length; i++) {
        const demand = demands[i];
        const slot = this.#slots[i] ?? 0;
        if (!demand) continue;
        const state = this.#read(slot);
        demand.algorithm.take(demand, state, now);
        this.#write(slot, state);
      }
    }
    if (!allowed) this.#tellUntaken(demands, now);
    this.#unlock();
    return allowed;
  }

  /** What was allowed by itself was not taken: the answer is told as of before. */
  #tellUntaken(demands: readonly CounterDemand[], now: number): void {
    for (let i = 0; i < demands.length; i++) {
      const demand = demands[i];
      if (!demand?.allowed) continue;
      const { cost } = demand;
      demand.cost = 0;
      demand.algorithm.judge(demand, this.#read(this.#slots[i] ?? 0), now);
      demand.cost = cost;
    }
  }

  /** Gives back what a demand took at `takenAt`, e.g. because another store refuses the request. */
  giveBack(demand: CounterDemand, takenAt: number): void {
    this.#lock([demand]);
    const slot = this.#find(demand, takenAt, 0);
    const state = this.#read(slot);
    demand.algorithm.giveBack(demand, state, takenAt);
    this.#write(slot, state);
    this.#unlock();
  }

  /** Locks the rows of all demands, always in the same order. */
  #lock(demands: readonly CounterDemand[]): void {
    const locked = this.#locked;
    locked.length = 0;
    for (const demand of demands) {
      const row = rowOf(demand);
      if (!locked.includes(row)) locked.push(row);
    }
    if (locked.length > 1) locked.sort((a, b) => a - b);
    for (const row of locked) this.#lockRow(row * rowWords);
  }

  #lockRow(at: number): void {
    for (let i = 0; i < spins; i++) {
      if (Atomics.compareExchange(this.#words, at, 0, this.#owner) === 0) return;
    }
    const begin = performance.now();
    for (;;) {
      const holder = Atomics.compareExchange(this.#words, at, 0, this.#owner);
      if (holder === 0) return;
      if (performance.now() > begin + stuckHolder) {
        if (Atomics.compareExchange(this.#words, at, holder, this.#owner) === holder) return;
      }
      Atomics.wait(this.#words, at, holder, 1);
    }
  }

  #unlock(): void {
    for (const row of this.#locked) unlockRow(this.#words, row * rowWords, this.#owner);
  }

  /** Takes its locks from a thread that has ended. @param owner its number. */
  unlockAllOf(owner: number): void {
    for (let row = 0; row < rows; row++) unlockRow(this.#words, row * rowWords, owner);
  }

  /**
   * First word of the slot of a demand: its own, one that says nothing any more, or that of the overflow.
   * @param before how many slots were found for this request already.
   */
  #find(demand: CounterDemand, now: number, before: number): number {
    const words = this.#words;
    const first = rowOf(demand) * rowWords + 2;
    const last = first + (slotsPerRow - 1) * slotWords;
    let free = -1;
    for (let at = first; at < last; at += slotWords) {
      if (words[at] === demand.high && words[at + 1] === demand.low) return at;
      const over = (this.#numbers[at / 2 + 1] ?? 0) <= now;
      if (free < 0 && over && !this.#isFound(at, before)) free = at;
    }
    if (free < 0) {
      this.#onOverflow();
      return last;
    }
    words[free] = demand.high;
    words[free + 1] = demand.low;
    this.#numbers.fill(0, free / 2 + 1, free / 2 + 4);
    return free;
  }

  #isFound(at: number, before: number): boolean {
    for (let i = 0; i < before; i++) if (this.#slots[i] === at) return true;
    return false;
  }

  #read(at: number): CounterState {
    const state = this.#state;
    state.until = this.#numbers[at / 2 + 1] ?? 0;
    state.a = this.#numbers[at / 2 + 2] ?? 0;
    state.b = this.#numbers[at / 2 + 3] ?? 0;
    return state;
  }

  #write(at: number, { until, a, b }: CounterState): void {
    this.#numbers[at / 2 + 1] = until;
    this.#numbers[at / 2 + 2] = a;
    this.#numbers[at / 2 + 3] = b;
  }
}

/** Whoever has lost the lock meanwhile takes it from nobody. */
function unlockRow(words: Int32Array, at: number, owner: number): void {
  if (Atomics.compareExchange(words, at, owner, 0) === owner) Atomics.notify(words, at, 1);
}

function rowOf({ low }: CounterDemand): number {
  return low & (rows - 1);
}
