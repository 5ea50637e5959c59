import { now } from '../../state/clock.ts';
import type { Row } from '../../state/shared-table.ts';
import type { Endpoint } from '../endpoint.ts';
import { endpointEjections } from '../metrics.ts';
import type { Outcome } from '../outcome.ts';
import { type EjectionReason, EndpointWord } from '../shared/endpoint-row.ts';
import { UpstreamWord } from '../shared/upstream-row.ts';
import type { Surroundings } from '../surroundings.ts';
import { eject, endpointWord } from './ejection.ts';
import type { EjectionSettings } from './ejection-settings.ts';

/** Rows of an endpoint are found by the names of its upstream and its own. */
export function endpointRowName(upstream: string, endpoint: string): string {
  return `${upstream} ${endpoint}`;
}

/**
 * Which endpoints of an upstream are in service, as all threads and the active checks find it; and what
 * this thread finds out about them.
 */
export class EndpointHealth {
  /** Undefined: endpoints are only checked. */
  ejection: EjectionSettings | undefined;
  readonly #name: string;
  readonly #around: Surroundings;
  readonly #upstream: Row;
  #rows = new Map<Endpoint, Row>();
  #version = -1;

  constructor(name: string, ejection: EjectionSettings | undefined, around: Surroundings) {
    this.#name = name;
    this.ejection = ejection;
    this.#around = around;
    this.#upstream = around.tables.upstreams.claim(name);
  }

  /** Takes on the endpoints that there are now. */
  setEndpoints(endpoints: Iterable<Endpoint>) {
    const { endpoints: table } = this.#around.tables;
    const rows = new Map<Endpoint, Row>();
    for (const endpoint of endpoints) {
      const name = endpointRowName(this.#name, endpoint.id);
      rows.set(endpoint, this.#rows.get(endpoint) ?? table.claim(name));
    }
    for (const [endpoint, row] of this.#rows) if (!rows.has(endpoint)) table.release(row);
    this.#rows = rows;
    this.#version = -1;
  }

  /** Somebody went out of service or came back since `look`. */
  get stale(): boolean {
    const { words, at } = this.#upstream;
    return words[at + UpstreamWord.version] !== this.#version;
  }

  /** Looks at who is in service. */
  look() {
    this.#version = Atomics.load(this.#upstream.words, this.#upstream.at + UpstreamWord.version);
    for (const [endpoint, row] of this.#rows) {
      const available = endpointWord(row, EndpointWord.flags) === 0;
      if (available && !endpoint.available) endpoint.since = now();
      endpoint.available = available;
    }
  }

  /** Takes down what an attempt says of an endpoint. */
  record(endpoint: Endpoint, outcome: Outcome, label: string) {
    const { ejection } = this;
    const row = ejection && this.#rows.get(endpoint);
    // A row that nobody else sees: nobody would let the endpoint come back.
    if (!row || row.at === 0 || outcome === 'none') return;
    const { words, at } = row;
    if (ejection.successRate) {
      Atomics.add(words, at + EndpointWord.requests, 1);
      if (outcome === 'ok') Atomics.add(words, at + EndpointWord.successes, 1);
    }
    if (outcome === 'ok') {
      if (words[at + EndpointWord.errors] !== 0) Atomics.store(words, at + EndpointWord.errors, 0);
      if (words[at + EndpointWord.gatewayErrors] !== 0) {
        Atomics.store(words, at + EndpointWord.gatewayErrors, 0);
      }
      return;
    }
    const errors = Atomics.add(words, at + EndpointWord.errors, 1) + 1;
    let gatewayErrors = 0;
    if (outcome === 'error') Atomics.store(words, at + EndpointWord.gatewayErrors, 0);
    else gatewayErrors = Atomics.add(words, at + EndpointWord.gatewayErrors, 1) + 1;
    if (gatewayErrors >= ejection.consecutiveGatewayErrors) {
      this.#eject(endpoint, row, 'consecutive gateway errors', ejection, label);
    } else if (errors >= ejection.consecutiveErrors) {
      this.#eject(endpoint, row, 'consecutive errors', ejection, label);
    }
  }

  #eject(
    endpoint: Endpoint,
    row: Row,
    reason: EjectionReason,
    settings: EjectionSettings,
    service: string,
  ) {
    if (!eject(row, reason, [...this.#rows.values()], this.#upstream, settings, now())) return;
    this.#around.counter(endpointEjections.name, { service, reason })();
    this.#around.report({
      service,
      upstream: this.#name,
      endpoint: endpoint.id,
      reason,
      bad: true,
      text: 'An endpoint is ejected',
    });
  }

  close() {
    const { endpoints, upstreams } = this.#around.tables;
    for (const row of this.#rows.values()) endpoints.release(row);
    this.#rows.clear();
    upstreams.release(this.#upstream);
  }
}
