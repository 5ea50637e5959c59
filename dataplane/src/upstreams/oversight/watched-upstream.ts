import type { Endpoint, Upstream } from '@gatehouse/snapshot';
import { now } from '../../state/clock.ts';
import type { Row } from '../../state/shared-table.ts';
import { endpointId } from '../endpoint.ts';
import {
  eject,
  isEjected,
  isServed,
  isUnhealthy,
  readmit,
  setUnhealthy,
} from '../health/ejection.ts';
import { type EjectionSettings, ejectionOf } from '../health/ejection-settings.ts';
import { endpointRowName } from '../health/endpoint-health.ts';
import { endpointEjections, healthChecks } from '../metrics.ts';
import type { Security } from '../security.ts';
import { EndpointWord } from '../shared/endpoint-row.ts';
import type { Surroundings, UpstreamEvent } from '../surroundings.ts';
import { ActiveCheck, type CheckSettings, type CheckView } from './health-check.ts';
import { takeOutliers } from './outliers.ts';
import { probeOf } from './probes.ts';

type Watched = { id: string; row: Row; check: ActiveCheck | undefined };

export type Overseen = Pick<Surroundings, 'tables' | 'counter' | 'report'>;

/** One upstream as the main thread looks after it: its rows, its checks, who may come back. */
export class WatchedUpstream {
  readonly name: string;
  readonly message: Upstream;
  readonly row: Row;
  readonly #around: Overseen;
  readonly #security: Security | undefined;
  readonly #ejection: EjectionSettings | undefined;
  #endpoints = new Map<string, Watched>();
  #judgedAt: number;

  constructor(
    name: string,
    message: Upstream,
    security: Security | undefined,
    around: Overseen,
    at: number,
  ) {
    this.name = name;
    this.message = message;
    this.#around = around;
    this.#security = security;
    this.#ejection = message.outlierDetection && ejectionOf(message.outlierDetection);
    this.#judgedAt = at;
    this.row = around.tables.upstreams.claim(name);
  }

  /** Takes on the endpoints that there are now; of those that stay the checks go on. */
  setEndpoints(list: readonly Endpoint[]) {
    const { endpoints: table } = this.#around.tables;
    const next = new Map<string, Watched>();
    for (const { address, port } of list) {
      const id = endpointId(address, port);
      if (next.has(id)) continue;
      next.set(id, this.#endpoints.get(id) ?? this.#watch(id, address, port));
    }
    for (const [id, { row, check }] of this.#endpoints) {
      if (next.has(id)) continue;
      check?.close();
      table.release(row);
    }
    this.#endpoints = next;
  }

  #watch(id: string, address: string, port: number): Watched {
    const row = this.#around.tables.endpoints.claim(endpointRowName(this.name, id));
    // What nobody judges any more is not held against it.
    if (!this.#ejection && isEjected(row)) readmit(row, this.row, now());
    const settings = checkSettings(this.message, this.#security);
    if (!settings) {
      if (isUnhealthy(row)) setUnhealthy(row, this.row, false, now());
      return { id, row, check: undefined };
    }
    const { label: service, healthCheck } = this.message;
    const at = healthCheck && healthCheck.port > 0 ? healthCheck.port : port;
    const check = new ActiveCheck(address, at, settings, isUnhealthy(row), {
      result: (failure) =>
        this.#around.counter(healthChecks.name, {
          service,
          result: failure === undefined ? 'ok' : 'failed',
        })(),
      change: (healthy, reason) => {
        setUnhealthy(row, this.row, !healthy, now());
        const text = healthy ? 'An endpoint is healthy again' : 'An endpoint is not healthy';
        this.#tell(id, { bad: !healthy, text, ...(reason === '' ? {} : { reason }) });
      },
    });
    return { id, row, check };
  }

  #tell(endpoint: string, event: Pick<UpstreamEvent, 'bad' | 'text' | 'reason'>) {
    const { label: service } = this.message;
    this.#around.report({ service, upstream: this.name, endpoint, ...event });
  }

  /** What is known of each endpoint. */
  rows(): Row[] {
    return [...this.#endpoints.values()].map(({ row }) => row);
  }

  endpoint(id: string): { row: Row; view: CheckView | undefined } | undefined {
    const found = this.#endpoints.get(id);
    return found && { row: found.row, view: found.check?.view };
  }

  /** Lets those come back whose time is over; compares success rates when it is time. */
  look(at: number) {
    const ejection = this.#ejection;
    if (!ejection) return;
    for (const { id, row } of this.#endpoints.values()) {
      if (!isServed(row, at)) continue;
      readmit(row, this.row, at);
      this.#tell(id, { bad: false, text: 'An endpoint is back in service' });
    }
    const { intervalMs = 0, successRate } = this.message.outlierDetection ?? {};
    if (at - this.#judgedAt < intervalMs) return;
    this.#judgedAt = at;
    this.#forgive();
    if (!successRate) return;
    const rows = this.rows();
    for (const row of takeOutliers(rows, successRate)) {
      if (!eject(row, 'success rate', rows, this.row, ejection, at)) continue;
      const { label: service } = this.message;
      const reason = 'success rate';
      this.#around.counter(endpointEjections.name, { service, reason })();
      const id = [...this.#endpoints.values()].find((one) => one.row === row)?.id ?? '';
      this.#tell(id, { bad: true, text: 'An endpoint is ejected', reason });
    }
  }

  /** An interval in service takes one ejection back. */
  #forgive() {
    for (const { row } of this.#endpoints.values()) {
      const { words, at } = row;
      const ejections = words[at + EndpointWord.ejections] ?? 0;
      if (ejections > 0 && words[at + EndpointWord.flags] === 0) {
        words[at + EndpointWord.ejections] = ejections - 1;
      }
    }
  }

  close() {
    this.setEndpoints([]);
    this.#around.tables.upstreams.release(this.row);
  }
}

function checkSettings(
  { healthCheck }: Upstream,
  security: Security | undefined,
): CheckSettings | undefined {
  const probe = healthCheck && probeOf(healthCheck, security);
  if (!healthCheck || !probe) return undefined;
  return {
    probe,
    interval: healthCheck.intervalMs,
    timeout: healthCheck.timeoutMs,
    unhealthyThreshold: healthCheck.unhealthyThreshold,
    healthyThreshold: healthCheck.healthyThreshold,
    jitterPercent: healthCheck.jitterPercent,
  };
}
