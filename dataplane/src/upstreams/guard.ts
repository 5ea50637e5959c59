import type { Row } from '../state/shared-table.ts';
import { Breaker, type BreakerSettings, BreakerState } from './breaker.ts';
import { breakerTransitions } from './metrics.ts';
import { giveBackUpstream } from './shared/upstream-memory.ts';
import { UpstreamShare, UpstreamWord } from './shared/upstream-row.ts';
import { SharedLimit } from './shared-limit.ts';
import type { Surroundings } from './surroundings.ts';

export type GuardSettings = {
  breaker: BreakerSettings | undefined;
  /** Requests under way, over all threads; 0: no limit. */
  maxRequests: number;
  /** Retries under way, over all threads; 0: no limit. */
  maxRetries: number;
  /** Requests that wait for a connection, over all threads; 0: no limit. */
  maxPending: number;
};

const texts: Record<BreakerState, string> = {
  [BreakerState.closed]: 'A circuit breaker closes',
  [BreakerState.open]: 'A circuit breaker opens',
  [BreakerState.halfOpen]: 'A circuit breaker lets probes through',
};

const stateNames: Record<BreakerState, string> = {
  [BreakerState.closed]: 'closed',
  [BreakerState.open]: 'open',
  [BreakerState.halfOpen]: 'half-open',
};

/** What spares an upstream: its breaker and its limits, known to all threads by one row of memory. */
export class Guard {
  breaker: Breaker | undefined;
  requests: SharedLimit | undefined;
  retries: SharedLimit | undefined;
  pending: SharedLimit | undefined;
  readonly #name: string;
  #label = '';
  readonly #row: Row;
  readonly #around: Surroundings;

  constructor(name: string, label: string, settings: GuardSettings, around: Surroundings) {
    this.#name = name;
    this.#around = around;
    this.#row = around.tables.upstreams.claim(name);
    this.configure(label, settings);
  }

  configure(label: string, settings: GuardSettings) {
    const { breaker, maxRequests, maxRetries, maxPending } = settings;
    this.#label = label;
    if (!breaker) this.breaker = undefined;
    else if (this.breaker) this.breaker.settings = breaker;
    else this.breaker = new Breaker(this.#row, breaker, (state) => this.#tell(state));
    const { requests, retries, pending } = UpstreamWord;
    this.requests = this.#limit(this.requests, requests, UpstreamShare.requests, maxRequests);
    this.retries = this.#limit(this.retries, retries, UpstreamShare.retries, maxRetries);
    this.pending = this.#limit(this.pending, pending, UpstreamShare.pending, maxPending);
  }

  /** One that is there stays: those who entered will leave it. */
  #limit(known: SharedLimit | undefined, word: number, share: number, most: number) {
    if (!known) return most > 0 ? new SharedLimit(this.#row, word, share, most) : undefined;
    known.most = most > 0 ? most : Number.POSITIVE_INFINITY;
    return known;
  }

  #tell(state: BreakerState) {
    const service = this.#label;
    this.#around.counter(breakerTransitions.name, { service, to: stateNames[state] })();
    const bad = state === BreakerState.open;
    this.#around.report({ service, upstream: this.#name, bad, text: texts[state] });
  }

  /** What is under way is not counted any more. */
  close() {
    giveBackUpstream(this.#row);
    this.#around.tables.upstreams.release(this.#row);
  }
}
