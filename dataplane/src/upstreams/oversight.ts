import { fromBinary } from '@bufbuild/protobuf';
import { Kind, type ResourceSet, type Upstream, UpstreamSchema } from '@gatehouse/snapshot';
import { now } from '../state/clock.ts';
import { labelValue } from '../state/label-value.ts';
import type { Row } from '../state/shared-table.ts';
import type { ProcessMetric } from '../telemetry/prometheus.ts';
import { BreakerState, resetBreaker } from './breaker.ts';
import type { UpstreamTables } from './shared/upstream-memory.ts';
import { UpstreamNumber, UpstreamWord } from './shared/upstream-row.ts';

/** A circuit breaker as GET /circuit-breakers shows it. */
export type BreakerView = {
  service: string;
  resource: string;
  state: 'closed' | 'open' | 'half-open';
  /** Failures since the last success. */
  consecutiveFailures: number;
  failureThreshold: number;
  /** Seconds since it came into its state; left out when it never left the first. */
  forSeconds?: number;
  /** Seconds until an open one lets probes through. */
  probesInSeconds?: number;
  /** Requests under way over all threads, when they are limited. */
  requests?: number;
  maxRequests?: number;
};

type Watched = { row: Row; message: Upstream };

/**
 * What the main thread knows of the upstreams of all threads. It holds their rows, so that what is known
 * outlives each thread.
 */
export class Oversight {
  readonly #tables: UpstreamTables;
  #watched = new Map<string, Watched>();

  constructor(tables: UpstreamTables) {
    this.#tables = tables;
  }

  /** Takes on the upstreams of a snapshot that is in use. */
  use(config: ResourceSet) {
    const watched = new Map<string, Watched>();
    for (const { kind, name, body } of config.values()) {
      if (kind !== Kind.UPSTREAM) continue;
      const message = fromBinary(UpstreamSchema, body);
      if (!message.circuitBreaker) continue;
      const row = this.#watched.get(name)?.row ?? this.#tables.upstreams.claim(name);
      watched.set(name, { row, message });
    }
    for (const [name, { row }] of this.#watched) {
      if (!watched.has(name)) this.#tables.upstreams.release(row);
    }
    this.#watched = watched;
  }

  breakers(): BreakerView[] {
    const at = now();
    return this.#sorted().map(([name, watched]) => breakerView(name, watched, at));
  }

  /** Closes the breakers of the services with that label or resource name. False: there is none. */
  reset(wanted: string): boolean {
    let found = false;
    for (const [name, { row, message }] of this.#watched) {
      if (name !== wanted && message.label !== wanted) continue;
      resetBreaker(row, now());
      found = true;
    }
    return found;
  }

  metrics(): ProcessMetric[] {
    const numbers = { closed: 0, open: 1, 'half-open': 2 };
    return this.breakers().map(({ service, resource, state }) => ({
      name: 'gateway_circuit_breaker_state',
      type: 'gauge',
      help: 'State of a circuit breaker: 0 closed, 1 open, 2 half-open.',
      labels: `service="${labelValue(service)}",upstream="${labelValue(resource)}"`,
      value: numbers[state],
    }));
  }

  #sorted(): [string, Watched][] {
    return [...this.#watched].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

function breakerView(resource: string, { row, message }: Watched, at: number): BreakerView {
  const word = (index: number) => Atomics.load(row.words, row.at + index);
  const number = (index: number) => row.numbers[(row.at + index) / 2] ?? 0;
  const { failureThreshold = 0, limits } = message.circuitBreaker ?? {};
  const open = word(UpstreamWord.breaker) === BreakerState.open;
  const left = number(UpstreamNumber.openUntil) - at;
  const closed = word(UpstreamWord.breaker) === BreakerState.closed;
  const changedAt = number(UpstreamNumber.changedAt);
  return {
    service: message.label,
    resource,
    // Once its time is over the next request is a probe.
    state: closed ? 'closed' : open && left > 0 ? 'open' : 'half-open',
    consecutiveFailures: word(UpstreamWord.failures),
    failureThreshold,
    ...(changedAt > 0 ? { forSeconds: seconds(at - changedAt) } : {}),
    ...(open && left > 0 ? { probesInSeconds: seconds(left) } : {}),
    ...(limits && limits.maxRequests > 0
      ? { requests: word(UpstreamWord.requests), maxRequests: limits.maxRequests }
      : {}),
  };
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds) / 1000;
}
