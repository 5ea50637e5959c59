import { type KeySet, readKeySet } from '@gatehouse/crds';
import { now } from '../../../state/clock.ts';
import { OutboundFault } from '../../outbound.ts';
import type { KeySource } from './verified-tokens.ts';

/** Milliseconds, on the clock of `now()`. */
export type FetchTiming = {
  /** From one fetch to the next one that an unknown kid may cause. */
  floor: number;
  /** After a failure: doubles from `first` to `most`, half of it random. */
  backOff: { first: number; most: number };
};

export const defaultTiming: FetchTiming = {
  floor: 10_000,
  backOff: { first: 500, most: 60_000 },
};

/** A policy in force that needs the keys. */
export type KeyWatcher = {
  /** Milliseconds between two fetches. */
  refresh: number;
  /** Milliseconds for one fetch. */
  timeout: number;
  /** Hears why there are no keys, and with undefined that there are. */
  tell(fault: string | undefined): void;
};

type Outcome = 'fetched' | 'failed';

/** @param timeout milliseconds. @throws Error that says why there is no text */
export type FetchText = (timeout: number) => Promise<string>;

/** The key set at a URL: fetched again and again while a policy needs it; the last good one stays. */
export class RemoteKeys implements KeySource {
  /** Undefined until the first good fetch. */
  keys: KeySet | undefined;
  /** Why the last fetch failed; undefined when it did not. */
  fault: string | undefined;
  readonly #fetchText: FetchText;
  readonly #timing: FetchTiming;
  readonly #counted: (outcome: Outcome) => void;
  readonly #watchers = new Set<KeyWatcher>();
  #text = '';
  #failures = 0;
  #backOff = 0;
  #startedAt = Number.NEGATIVE_INFINITY;
  #endedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #fetching: Promise<void> | undefined;

  constructor(fetchText: FetchText, timing: FetchTiming, counted: (outcome: Outcome) => void) {
    this.#fetchText = fetchText;
    this.#timing = timing;
    this.#counted = counted;
  }

  get watched(): boolean {
    return this.#watchers.size > 0;
  }

  /** Fetches for the first time, in the background. */
  warm(timeout: number) {
    if (this.#startedAt === Number.NEGATIVE_INFINITY) void this.#fetch(timeout);
  }

  /** Fetches as long as somebody watches. Returns what ends that. */
  watch(watcher: KeyWatcher): () => void {
    this.#watchers.add(watcher);
    if (this.keys === undefined && this.fault !== undefined) watcher.tell(this.fault);
    this.#plan();
    return () => {
      this.#watchers.delete(watcher);
      watcher.tell(undefined);
      this.#plan();
    };
  }

  /**
   * For a token whose keys are not there. Undefined: they cannot be expected, the last attempt is too
   * short a while ago. Never rejects; it takes as long as one fetch may.
   */
  sooner(timeout: number): Promise<void> | undefined {
    if (!this.#fetching) {
      const floor = this.keys === undefined ? 0 : this.#startedAt + this.#timing.floor;
      const at = now();
      if (at < floor || at < this.#endedAt + this.#backOff) return undefined;
    }
    return this.#fetching ?? this.#fetch(timeout);
  }

  #fetch(timeout: number): Promise<void> {
    this.#startedAt = now();
    clearTimeout(this.#timer);
    const fetching = this.#fetchText(timeout)
      .then((text) => this.#take(text))
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#fetching = undefined;
        this.#endedAt = now();
        this.#plan();
      });
    this.#fetching = fetching;
    return fetching;
  }

  #take(text: string) {
    // The same text is the same set: tokens that were verified by it stay so.
    if (text !== this.#text || this.keys === undefined) {
      const keys = readKeySet(text);
      if (keys.keys.length === 0) throw new OutboundFault(faultsOf(keys));
      this.keys = keys;
      this.#text = text;
    }
    this.fault = undefined;
    this.#failures = 0;
    this.#backOff = 0;
    this.#counted('fetched');
    for (const { tell } of this.#watchers) tell(undefined);
  }

  #failed(error: unknown) {
    this.fault = error instanceof Error ? error.message : String(error);
    this.#backOff = backOffAfter(this.#failures++, this.#timing.backOff);
    this.#counted('failed');
    if (this.keys !== undefined) return;
    for (const { tell } of this.#watchers) tell(this.fault);
  }

  /** Sets the timer for the next fetch; it never keeps the process alive. */
  #plan() {
    clearTimeout(this.#timer);
    if (!this.watched || this.#fetching) return;
    const watchers = [...this.#watchers];
    const refresh = Math.min(...watchers.map((watcher) => watcher.refresh));
    const timeout = Math.max(...watchers.map((watcher) => watcher.timeout));
    // Data planes that were started together need not ask together for ever.
    const wait = this.#failures > 0 ? Math.min(this.#backOff, refresh) : spread(refresh);
    const delay = Math.max(0, this.#endedAt + wait - now());
    this.#timer = setTimeout(() => void this.#fetch(timeout), delay).unref();
  }
}

function spread(refresh: number): number {
  return refresh * (0.9 + 0.1 * Math.random());
}

/** Milliseconds to wait after failure number `failures`, from 0. */
export function backOffAfter(
  failures: number,
  { first, most }: FetchTiming['backOff'],
  random = Math.random,
): number {
  const whole = Math.min(most, first * 2 ** Math.min(failures, 30));
  return whole / 2 + (whole / 2) * random();
}

function faultsOf({ faults }: KeySet): string {
  const texts = faults.slice(0, 3).map(({ path, reason }) => (path ? `${path} ${reason}` : reason));
  return `it ${texts.join('; ')}`;
}
