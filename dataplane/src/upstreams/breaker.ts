import { lockRow, type Row, unlockRow } from '../state/shared-table.ts';
import type { Outcome } from './outcome.ts';
import {
  UpstreamNumber,
  UpstreamShare,
  UpstreamWord,
  windowAt,
  windowBuckets,
} from './shared/upstream-row.ts';

export const BreakerState = { closed: 0, open: 1, halfOpen: 2 } as const;
export type BreakerState = (typeof BreakerState)[keyof typeof BreakerState];

export type BreakerSettings = {
  /** Failures one after the other that open it. */
  failureThreshold: number;
  /** Milliseconds until it lets probes through. */
  timeout: number;
  /** Probes that are let through; when all of them succeed it closes. */
  halfOpenRequests: number;
  errorRate: ErrorRate | undefined;
};

/** Opens it when so many percent of the requests in the window, in milliseconds, failed. */
export type ErrorRate = { percent: number; window: number; minimumRequests: number };

/** What `admit` says of a request that is not let through. */
export const refused = -1;

/**
 * The circuit breaker of an upstream. Its state is in memory that all threads of the data plane share;
 * closed, it costs a request one read, and an answer another one.
 */
export class Breaker {
  settings: BreakerSettings;
  readonly #row: Row;
  readonly #onChange: (state: BreakerState) => void;

  /** @param onChange is called on the thread that brought the change about. */
  constructor(row: Row, settings: BreakerSettings, onChange: (state: BreakerState) => void) {
    this.#row = row;
    this.settings = settings;
    this.#onChange = onChange;
  }

  /**
   * Lets a request through, or not: `refused`, 0, or more than 0 for a probe. Whoever is let through must
   * `settle` once, with the same number.
   */
  admit(now: number): number {
    const { words, at } = this.#row;
    const state = Atomics.load(words, at + UpstreamWord.breaker);
    return state === BreakerState.closed ? 0 : this.#admitProbe(now);
  }

  #admitProbe(now: number): number {
    lockRow(this.#row);
    let turned = false;
    let ticket = refused;
    const state = this.#get(UpstreamWord.breaker);
    if (state === BreakerState.closed) ticket = 0;
    else {
      if (state === BreakerState.open && now >= this.#number(UpstreamNumber.openUntil)) {
        this.#turnHalfOpen(now);
        turned = true;
      }
      if (this.#get(UpstreamWord.breaker) === BreakerState.halfOpen) ticket = this.#takePermit();
    }
    unlockRow(this.#row);
    if (turned) this.#onChange(BreakerState.halfOpen);
    return ticket;
  }

  #turnHalfOpen(now: number) {
    this.#turn(BreakerState.halfOpen, now);
    this.#set(UpstreamWord.permits, this.settings.halfOpenRequests);
    this.#set(UpstreamWord.successes, 0);
    this.#set(UpstreamWord.round, this.#get(UpstreamWord.round) + 1);
  }

  #takePermit(): number {
    const permits = this.#get(UpstreamWord.permits);
    if (permits <= 0) return refused;
    this.#set(UpstreamWord.permits, permits - 1);
    const round = this.#get(UpstreamWord.round);
    const { share, shareAt } = this.#row;
    if (share[shareAt + UpstreamShare.round] !== round) {
      share[shareAt + UpstreamShare.round] = round;
      share[shareAt + UpstreamShare.probes] = 0;
    }
    this.#countProbes(1);
    return round;
  }

  /** @param ticket what `admit` gave. */
  settle(ticket: number, outcome: Outcome, now: number) {
    if (ticket > 0) this.#settleProbe(ticket, outcome, now);
    else if (outcome === 'ok') this.#succeed(now);
    else if (outcome !== 'none') this.#fail(now);
  }

  #succeed(now: number) {
    const { words, at } = this.#row;
    if (this.settings.errorRate) {
      lockRow(this.#row);
      this.#observe(this.settings.errorRate, false, now);
      unlockRow(this.#row);
    }
    if (words[at + UpstreamWord.failures] !== 0) {
      Atomics.store(words, at + UpstreamWord.failures, 0);
    }
  }

  #fail(now: number) {
    const { failureThreshold, errorRate } = this.settings;
    lockRow(this.#row);
    let opens = false;
    // Requests from before it opened say nothing new.
    if (this.#get(UpstreamWord.breaker) === BreakerState.closed) {
      const failures = this.#get(UpstreamWord.failures) + 1;
      this.#set(UpstreamWord.failures, failures);
      const tooMany = errorRate ? this.#observe(errorRate, true, now) : false;
      opens = failures >= failureThreshold || tooMany;
      if (opens) this.#open(now);
    }
    unlockRow(this.#row);
    if (opens) this.#onChange(BreakerState.open);
  }

  #settleProbe(round: number, outcome: Outcome, now: number) {
    lockRow(this.#row);
    let turned: BreakerState | undefined;
    const { share, shareAt } = this.#row;
    if (share[shareAt + UpstreamShare.round] === round) this.#countProbes(-1);
    const halfOpen = this.#get(UpstreamWord.breaker) === BreakerState.halfOpen;
    if (halfOpen && this.#get(UpstreamWord.round) === round) {
      if (outcome === 'none') {
        this.#set(UpstreamWord.permits, this.#get(UpstreamWord.permits) + 1);
      } else if (outcome !== 'ok') {
        this.#open(now);
        turned = BreakerState.open;
      } else {
        const successes = this.#get(UpstreamWord.successes) + 1;
        this.#set(UpstreamWord.successes, successes);
        if (successes >= this.settings.halfOpenRequests) {
          this.#close(now);
          turned = BreakerState.closed;
        }
      }
    }
    unlockRow(this.#row);
    if (turned !== undefined) this.#onChange(turned);
  }

  #open(now: number) {
    this.#setNumber(UpstreamNumber.openUntil, now + this.settings.timeout);
    this.#turn(BreakerState.open, now);
  }

  #close(now: number) {
    closeRow(this.#row, now);
  }

  #turn(state: BreakerState, now: number) {
    this.#setNumber(UpstreamNumber.changedAt, now);
    Atomics.store(this.#row.words, this.#row.at + UpstreamWord.breaker, state);
  }

  /** Counts a request into the window. True when too many of it failed. */
  #observe({ percent, window, minimumRequests }: ErrorRate, failed: boolean, now: number): boolean {
    const { words, at } = this.#row;
    const time = Math.floor((now * windowBuckets) / window);
    const bucket = at + windowAt + 3 * (time % windowBuckets);
    if (words[bucket] !== time) {
      words[bucket] = time;
      words[bucket + 1] = 0;
      words[bucket + 2] = 0;
    }
    words[bucket + 1] = (words[bucket + 1] ?? 0) + 1;
    if (!failed) return false;
    words[bucket + 2] = (words[bucket + 2] ?? 0) + 1;
    let requests = 0;
    let failures = 0;
    for (let i = 0; i < windowBuckets; i++) {
      const each = at + windowAt + 3 * i;
      if (time - (words[each] ?? 0) >= windowBuckets) continue;
      requests += words[each + 1] ?? 0;
      failures += words[each + 2] ?? 0;
    }
    return requests >= minimumRequests && failures * 100 >= requests * percent;
  }

  #get(word: number): number {
    return this.#row.words[this.#row.at + word] ?? 0;
  }

  #set(word: number, value: number) {
    this.#row.words[this.#row.at + word] = value;
  }

  #number(word: number): number {
    return this.#row.numbers[(this.#row.at + word) / 2] ?? 0;
  }

  #setNumber(word: number, value: number) {
    this.#row.numbers[(this.#row.at + word) / 2] = value;
  }

  #countProbes(change: number) {
    const { share, shareAt } = this.#row;
    const at = shareAt + UpstreamShare.probes;
    share[at] = (share[at] ?? 0) + change;
  }
}

/** Closes a breaker whose row is locked, and forgets what it had counted. */
function closeRow({ words, numbers, at }: Row, now: number) {
  words[at + UpstreamWord.failures] = 0;
  words.fill(0, at + windowAt, at + windowAt + 3 * windowBuckets);
  numbers[(at + UpstreamNumber.changedAt) / 2] = now;
  Atomics.store(words, at + UpstreamWord.breaker, BreakerState.closed);
}

/** Closes the breaker, whatever it has seen; probes under way do not count any more. */
export function resetBreaker(row: Row, now: number) {
  lockRow(row);
  row.words[row.at + UpstreamWord.round] = (row.words[row.at + UpstreamWord.round] ?? 0) + 1;
  closeRow(row, now);
  unlockRow(row);
}

/** Gives the probes of a thread that is gone to others. `row.share` is that of the thread. */
export function giveUpProbes(row: Row) {
  const { words, at, share, shareAt } = row;
  lockRow(row);
  const halfOpen = words[at + UpstreamWord.breaker] === BreakerState.halfOpen;
  const sameRound = share[shareAt + UpstreamShare.round] === words[at + UpstreamWord.round];
  if (halfOpen && sameRound) {
    const probes = share[shareAt + UpstreamShare.probes] ?? 0;
    words[at + UpstreamWord.permits] = (words[at + UpstreamWord.permits] ?? 0) + probes;
  }
  share[shareAt + UpstreamShare.probes] = 0;
  unlockRow(row);
}
