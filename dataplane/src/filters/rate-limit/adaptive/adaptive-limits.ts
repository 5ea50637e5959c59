import type { Exchange } from '../../../exchange/exchange.ts';
import { Body } from '../../../http1/request-head.ts';
import type { LinkedRule } from '../../../link/runtime.ts';
import { now } from '../../../state/clock.ts';
import type { Row, SharedTable } from '../../../state/shared-table.ts';
import type { Family } from '../../../telemetry/families.ts';
import { type AdaptiveSettings, type Cause, Factor } from './factor.ts';
import { ServiceHealth } from './service-health.ts';

export const adaptiveFactor: Family = {
  name: 'gatehouse_rate_limit_adaptive_factor',
  type: 'gauge',
  combine: 'max',
  help: 'What is left of an adaptive limit, from its minimum to 1, by policy, limit and service.',
};

/** A limit that adapts, wherever its policy is in force. */
export type AdaptiveLimit = { policy: string; name: string; settings: AdaptiveSettings };

/** Hears why a limit is below its size, and with undefined that it is not. */
export type AdaptiveWatcher = { tell(reason: string | undefined): void };

/** Milliseconds between two looks at limits that nobody asks for. */
const lookEvery = 1000;
/** Below which it is told. */
const toldBelow = 0.95;
/** Requests of a rule after which older ones lose half their weight. */
const memory = 1000;

type Served = { health: ServiceHealth; factor: Factor; rows: Row[]; slot: number };
type Entry = {
  limit: AdaptiveLimit;
  services: Map<string, Served>;
  watchers: Set<AdaptiveWatcher>;
  told: string | undefined;
};

/** The adaptive limits of a thread; what they know is shared by all threads. */
export class AdaptiveLimits {
  readonly #table: SharedTable;
  readonly #gauge: (labels: Readonly<Record<string, string>>) => number;
  readonly #set: (slot: number, value: number) => void;
  readonly #entries = new Map<string, Entry>();
  /** Which services answered the requests of a rule, and how many; by its name, which outlives a swap. */
  readonly #mixes = new Map<string, Map<string, number>>();
  readonly #mixesAtHand = new WeakMap<LinkedRule, Map<string, number>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    table: SharedTable,
    gauge: (labels: Readonly<Record<string, string>>) => number,
    set: (slot: number, value: number) => void,
  ) {
    this.#table = table;
    this.#gauge = gauge;
    this.#set = set;
  }

  /** From now on the limit is in force. Returns what ends that. */
  watch(limit: AdaptiveLimit, watcher: AdaptiveWatcher): () => void {
    const entry = this.#entryOf(limit);
    // A policy that was changed has other settings, and what is known stays.
    entry.limit = limit;
    entry.watchers.add(watcher);
    if (entry.told !== undefined) watcher.tell(entry.told);
    this.#timer ??= setInterval(() => this.look(), lookEvery).unref();
    return () => {
      entry.watchers.delete(watcher);
      watcher.tell(undefined);
      // The policy that comes in its place begins in this very turn.
      setImmediate(() => this.#forget(entry));
    };
  }

  /** What is left of a limit for a request: of several backends each counts by its share. */
  factorFor(limit: AdaptiveLimit, rule: LinkedRule | undefined): number {
    const entry = this.#entries.get(keyOf(limit));
    if (!rule || !entry) return 1;
    const mix = this.#mixOf(rule);
    let sum = 0;
    let weights = 0;
    for (const [service, weight] of mix) {
      sum += weight * this.#step(entry, service);
      weights += weight;
    }
    return weights === 0 ? 1 : sum / weights;
  }

  /** Counts what becomes of a request for these limits. @param at when it was let through. */
  ended(limits: readonly AdaptiveLimit[], exchange: Exchange, at: number): void {
    const { rule, service, status, head } = exchange;
    // What the gateway answered by itself, or the client gave up, says nothing of a backend.
    if (!rule || service === '' || status === 0 || status === 499) return;
    this.#remember(rule, service);
    // A body that a client sends slowly is no slowness of the backend.
    const timed = exchange.respondedAt > 0 && head.body === Body.none;
    const latency = timed ? exchange.respondedAt - at : undefined;
    let recorded = false;
    for (const limit of limits) {
      const entry = this.#entries.get(keyOf(limit));
      if (!entry) continue;
      // The health of a service is one for all limits.
      const served = this.#servedBy(entry, service);
      if (!recorded) served.health.record(status >= 500, latency, exchange.endedAt);
      recorded = true;
    }
  }

  /** Goes on with all limits, asked for or not, and tells of them. */
  look(): void {
    for (const entry of this.#entries.values()) {
      let reason: string | undefined;
      for (const [service, served] of entry.services) {
        const value = this.#step(entry, service);
        this.#set(served.slot, value);
        const already = entry.told !== undefined && value < 1;
        if (value < toldBelow || already) {
          reason ??= reasonOf(entry.limit, service, served.factor.cause);
        }
      }
      if (reason === entry.told) continue;
      entry.told = reason;
      for (const { tell } of entry.watchers) tell(reason);
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const entry of this.#entries.values()) {
      entry.watchers.clear();
      this.#forget(entry);
    }
  }

  #step(entry: Entry, service: string): number {
    const { health, factor } = this.#servedBy(entry, service);
    const at = now();
    factor.step(() => health.condition(at), entry.limit.settings, at);
    return factor.value;
  }

  #entryOf(limit: AdaptiveLimit): Entry {
    const key = keyOf(limit);
    let entry = this.#entries.get(key);
    if (!entry) {
      entry = { limit, services: new Map(), watchers: new Set(), told: undefined };
      this.#entries.set(key, entry);
    }
    return entry;
  }

  #servedBy({ limit, services }: Entry, service: string): Served {
    let served = services.get(service);
    if (!served) {
      const rows = [`health ${service}`, `factor ${keyOf(limit)} ${service}`].map((name) =>
        this.#table.claim(name),
      ) as [Row, Row];
      const slot = this.#gauge({ policy: limit.policy, limit: limit.name, service });
      served = { health: new ServiceHealth(rows[0]), factor: new Factor(rows[1]), rows, slot };
      services.set(service, served);
    }
    return served;
  }

  #mixOf(rule: LinkedRule): Map<string, number> {
    let mix = this.#mixesAtHand.get(rule);
    if (!mix) {
      const name = `${rule.route} ${rule.name}`;
      mix = this.#mixes.get(name) ?? new Map();
      this.#mixes.set(name, mix);
      this.#mixesAtHand.set(rule, mix);
    }
    return mix;
  }

  #remember(rule: LinkedRule, service: string): void {
    const mix = this.#mixOf(rule);
    const count = (mix.get(service) ?? 0) + 1;
    mix.set(service, count);
    if (count < memory) return;
    for (const [name, weight] of mix) {
      if (weight < 2) mix.delete(name);
      else mix.set(name, weight / 2);
    }
  }

  /** Unless somebody else watches it again. */
  #forget(entry: Entry): void {
    const key = keyOf(entry.limit);
    if (entry.watchers.size > 0 || this.#entries.get(key) !== entry) return;
    this.#entries.delete(key);
    for (const { rows, slot } of entry.services.values()) {
      for (const row of rows) this.#table.release(row);
      this.#set(slot, 0);
    }
    if (this.#entries.size > 0) return;
    this.#mixes.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function keyOf({ policy, name }: AdaptiveLimit): string {
  return `${policy} ${name}`;
}

const what: Record<Cause, string> = {
  '': 'was not well a moment ago',
  errors: 'fails too often',
  latency: 'answers more slowly than usual',
};

/** The same for as long as its cause is the same: statuses are written when it changes. */
function reasonOf({ name }: AdaptiveLimit, service: string, cause: Cause): string {
  return `The limit "${name}" is below its size: the service "${service}" ${what[cause]}`;
}
