import { concurrency } from './algorithms.ts';
import type { CounterDemand, CounterTable } from './counter-table.ts';

/** Of an entry, in words of 32 bits: the hash, then what was taken as a double; 0 when it is free. */
const entryWords = 4;
const entries = 65_536;

/** Bytes for one thread; pages are touched when used. */
export const holdingsBytes = entries * entryWords * 4;

/**
 * What a thread has taken of concurrency and has not given back yet, in memory that outlives it: should
 * it end in the middle, others give back what it held. What has no room is not written down; only a
 * thread that dies while more than 65,536 exchanges count leaves something taken.
 */
export class Holdings {
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #free: number[] = [];
  #next = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
    this.#numbers = new Float64Array(memory);
  }

  /** Returns where it is written down; -1: nowhere. */
  hold({ high, low, cost }: CounterDemand): number {
    const entry = this.#free.pop() ?? (this.#next < entries ? this.#next++ : -1);
    if (entry < 0) return entry;
    this.#words[entry * entryWords] = high;
    this.#words[entry * entryWords + 1] = low;
    this.#numbers[entry * 2 + 1] = cost;
    return entry;
  }

  release(entry: number): void {
    if (entry < 0) return;
    this.#numbers[entry * 2 + 1] = 0;
    this.#free.push(entry);
  }
}

/** Gives back what a thread that is gone still held. @param memory of its Holdings. */
export function giveBackHeld(memory: SharedArrayBuffer, table: CounterTable): void {
  const words = new Int32Array(memory);
  const numbers = new Float64Array(memory);
  for (let entry = 0; entry < entries; entry++) {
    const cost = numbers[entry * 2 + 1] ?? 0;
    if (cost === 0) continue;
    const at = entry * entryWords;
    table.giveBack({ ...nothing, high: words[at] ?? 0, low: words[at + 1] ?? 0, cost }, 0);
    numbers[entry * 2 + 1] = 0;
  }
}

const nothing: CounterDemand = {
  algorithm: concurrency,
  limit: 0,
  window: 0,
  burst: 0,
  cost: 0,
  high: 0,
  low: 0,
  allowed: false,
  remaining: 0,
  resetAfter: 0,
  retryAfter: 0,
};
