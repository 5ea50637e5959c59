import { lockRow, type Row, unlockRow } from '../../../state/shared-table.ts';
import { HealthNumber, HealthWord, secondOf } from './shape.ts';

/** Seconds after which what was counted has half its weight, for what is and for what is usual. */
const halfLife = { recent: 5, usual: 600 };
/** Fewer requests, or latencies, say nothing; a usual latency takes so many seconds to be known. */
const fewest = 5;
const soonest = 10;
/** Milliseconds that are added to both latencies, so that a fast service need not be fast to the millisecond. */
const grace = 5;
/** Logarithms are added up as integers of this many parts. */
const parts = 64;
/** What is slower than twice the usual becomes usual so many times more slowly. */
const reluctance = 8;

/** How well a service is; undefined where too little is known. */
export type Condition = {
  /** Share of failures, from 0 to 1. */
  errors: number | undefined;
  /** Latency as a multiple of its usual one. */
  slowdown: number | undefined;
};

/**
 * Counts what becomes of the requests to a service, for all threads. Latencies count by the mean of
 * their logarithms, on which single slow answers have little influence.
 */
export class ServiceHealth {
  readonly #row: Row;

  constructor(row: Row) {
    this.#row = row;
  }

  /** @param latency milliseconds; undefined when it says nothing of the service. */
  record(failed: boolean, latency: number | undefined, now: number): void {
    this.#turn(secondOf(now));
    const { words, at } = this.#row;
    Atomics.add(words, at + HealthWord.requests, 1);
    if (failed) Atomics.add(words, at + HealthWord.failures, 1);
    if (latency === undefined || failed) return;
    Atomics.add(words, at + HealthWord.latencies, 1);
    const logarithm = Math.round(Math.log2(Math.max(latency, 0.001) * 1000) * parts);
    Atomics.add(words, at + HealthWord.logarithms, logarithm);
  }

  condition(now: number): Condition {
    this.#turn(secondOf(now));
    const requests = this.#number(HealthNumber.requests);
    const latencies = this.#number(HealthNumber.latencies);
    const errors = requests < fewest ? undefined : this.#number(HealthNumber.failures) / requests;
    if (latencies < fewest || this.#number(HealthNumber.known) < soonest) {
      return { errors, slowdown: undefined };
    }
    const recent = milliseconds(this.#number(HealthNumber.logarithms) / latencies);
    const usual = milliseconds(this.#number(HealthNumber.usual));
    return { errors, slowdown: (recent + grace) / (usual + grace) };
  }

  /** Begins a new second; whoever comes first does it for all. */
  #turn(second: number): void {
    const { words, at } = this.#row;
    if (Atomics.load(words, at + HealthWord.second) === second) return;
    lockRow(this.#row);
    const before = Atomics.load(words, at + HealthWord.second);
    if (before < second) {
      if (before > 0) this.#gather(second - before);
      Atomics.store(words, at + HealthWord.second, second);
    }
    unlockRow(this.#row);
  }

  #gather(seconds: number): void {
    const decay = 0.5 ** (seconds / halfLife.recent);
    const taken = {
      requests: this.#take(HealthWord.requests),
      failures: this.#take(HealthWord.failures),
      latencies: this.#take(HealthWord.latencies),
      logarithms: this.#take(HealthWord.logarithms) / parts,
    };
    for (const key of ['requests', 'failures', 'latencies', 'logarithms'] as const) {
      this.#set(HealthNumber[key], decay * this.#number(HealthNumber[key]) + taken[key]);
    }
    if (taken.latencies > 0) this.#learn(taken.logarithms / taken.latencies, seconds);
  }

  #learn(logarithm: number, seconds: number): void {
    const known = this.#number(HealthNumber.known);
    const usual = this.#number(HealthNumber.usual);
    const slow = known >= soonest && logarithm > usual + 1;
    const share = 1 - 0.5 ** (Math.min(seconds, 60) / halfLife.usual);
    const weight = slow ? share / reluctance : Math.max(share, 1 / (known + 1));
    this.#set(HealthNumber.usual, usual + weight * (logarithm - usual));
    this.#set(HealthNumber.known, known + 1);
  }

  #take(word: number): number {
    return Atomics.exchange(this.#row.words, this.#row.at + word, 0);
  }

  #number(word: number): number {
    return this.#row.numbers[(this.#row.at + word) / 2] ?? 0;
  }

  #set(word: number, value: number): void {
    this.#row.numbers[(this.#row.at + word) / 2] = value;
  }
}

/** Of a logarithm of microseconds. */
function milliseconds(logarithm: number): number {
  return 2 ** logarithm / 1000;
}
