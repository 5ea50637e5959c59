import type { CompiledExpression } from '@gatehouse/crds';
import { now } from '../state/clock.ts';
import type { TimerWheel } from '../state/timer-wheel.ts';
import { ConnectionQuota } from './connection-quota.ts';
import { Endpoint, type EndpointAddress, endpointId } from './endpoint.ts';
import { EndpointPool, type PoolSettings } from './endpoint-pool.ts';
import { Guard, type GuardSettings } from './guard.ts';
import type { EjectionSettings } from './health/ejection-settings.ts';
import { EndpointHealth } from './health/endpoint-health.ts';
import { SessionPool } from './http2/session-pool.ts';
import { upstreamTlsFailures } from './metrics.ts';
import type { Outcome } from './outcome.ts';
import type { Pool } from './pool.ts';
import { countRefusals, type RefusalCounts } from './refusals.ts';
import { countRetries, type RetryCounts } from './retry-counts.ts';
import { RetryLoad } from './retry-load.ts';
import { type Insecurity, isAlike, type SecureTarget } from './security.ts';
import { Selection, type SelectionSettings } from './selection.ts';
import { StickySessions, type StickySettings } from './sticky-sessions.ts';
import type { Surroundings } from './surroundings.ts';
import { WaitingLine } from './waiting-line.ts';

export type UpstreamSettings = {
  /** Of the resource that they come from. */
  hash: Uint8Array;
  /** What metrics and GET /services call it. */
  label: string;
  pool: PoolSettings;
  connections: ConnectionLimits;
  selection: SelectionSettings;
  /** What balancing goes by; undefined when it goes by no key. */
  key: CompiledExpression | undefined;
  sticky: StickySettings | undefined;
  /** Undefined when nothing has to be known of it together. */
  guard: GuardSettings | undefined;
  /** Undefined when nobody finds out which endpoints are in service. */
  health: HealthSettings | undefined;
};

/** Of this thread; 0: no limit. */
export type ConnectionLimits = {
  maxConnections: number;
  /** Milliseconds a request waits for a connection. */
  queueTimeout: number;
};

export type HealthSettings = { ejection: EjectionSettings | undefined };

/**
 * A group of endpoints that do the same job, with its connections. It lives as long as some snapshot
 * names it: pools and the place in the rotation survive a swap.
 */
export class Upstream {
  readonly name: string;
  readonly wheel: TimerWheel;
  settings: UpstreamSettings;
  /** Mirrored requests under way. */
  copies = 0;
  /** Undefined unless clients stay with an endpoint. */
  sticky: StickySessions | undefined;
  /** Undefined when it has neither a breaker nor limits. */
  guard: Guard | undefined;
  /** Undefined when all endpoints are in service. */
  health: EndpointHealth | undefined;
  refused: RefusalCounts;
  retryCounts: RetryCounts;
  readonly retryLoad = new RetryLoad();
  /** Requests that wait for a connection. */
  readonly line = new WaitingLine();
  readonly #quota = new ConnectionQuota();
  readonly #around: Surroundings;
  #endpoints = new Map<string, Endpoint>();
  #zone = '';
  #selection: Selection;

  constructor(name: string, settings: UpstreamSettings, around: Surroundings) {
    this.name = name;
    this.settings = settings;
    this.wheel = around.wheel;
    this.#around = around;
    this.#selection = new Selection([], '', settings.selection);
    this.refused = countRefusals(settings.label, around);
    this.retryCounts = countRetries(settings.label, around);
    this.#quota.most = settings.connections.maxConnections;
    this.#setGuard();
    this.#setHealth();
  }

  get label(): string {
    return this.settings.label;
  }

  /** Takes on other settings; connections and running exchanges are kept. */
  configure(settings: UpstreamSettings) {
    if (settings.label !== this.label) {
      this.refused = countRefusals(settings.label, this.#around);
      this.retryCounts = countRetries(settings.label, this.#around);
    }
    const before = this.settings;
    this.settings = settings;
    this.#quota.most = settings.connections.maxConnections;
    this.#setGuard();
    this.#setHealth();
    for (const endpoint of this.#endpoints.values()) this.#configurePool(endpoint, before.pool);
    this.#select();
  }

  #setGuard() {
    const { guard, label } = this.settings;
    if (guard && this.guard) this.guard.configure(label, guard);
    else {
      this.guard?.close();
      this.guard = guard && new Guard(this.name, label, guard, this.#around);
    }
  }

  #setHealth() {
    const { health } = this.settings;
    if (health && this.health) this.health.ejection = health.ejection;
    else {
      this.health?.close();
      this.health = health && new EndpointHealth(this.name, health.ejection, this.#around);
      this.health?.setEndpoints(this.#endpoints.values());
      for (const endpoint of this.#endpoints.values()) endpoint.available = true;
    }
  }

  /**
   * Replaces the endpoints. Connections to those that stay are kept, running exchanges finish.
   * @param zone of this data plane; "" when it is not known.
   */
  setEndpoints(list: readonly EndpointAddress[], zone: string) {
    // Nobody is new where everybody is.
    const since = this.#endpoints.size === 0 ? Number.NEGATIVE_INFINITY : now();
    const endpoints = new Map<string, Endpoint>();
    for (const { address, port, weight, hintedZones } of list) {
      const id = endpointId(address, port);
      const endpoint =
        endpoints.get(id) ?? this.#endpoints.get(id) ?? this.#open(address, port, since);
      endpoint.weight = weight;
      endpoint.hintedZones = hintedZones;
      endpoints.set(id, endpoint);
    }
    for (const [id, { pool }] of this.#endpoints) if (!endpoints.has(id)) pool.close();
    this.#endpoints = endpoints;
    this.#zone = zone;
    this.health?.setEndpoints(endpoints.values());
    this.#select();
  }

  #open(address: string, port: number, since: number): Endpoint {
    return new Endpoint(endpointId(address, port), this.#openPool(address, port), since);
  }

  #openPool(address: string, port: number): Pool {
    const { pool } = this.settings;
    const Kind = pool.http2 ? SessionPool : EndpointPool;
    return new Kind(address, port, pool, {
      wheel: this.wheel,
      quota: this.#quota,
      onRoom: () => this.line.look(),
      onInsecure: (target, failure) => this.#tellOfTls(target, failure),
    });
  }

  #tellOfTls({ address, port }: SecureTarget, failure: Insecurity | undefined) {
    const { label: service } = this;
    if (failure) {
      this.#around.counter(upstreamTlsFailures.name, { service, reason: failure.reason })();
      if (failure.known) return;
    }
    this.#around.report({
      service,
      upstream: this.name,
      endpoint: endpointId(address, port),
      bad: failure !== undefined,
      text: failure ? 'TLS with an endpoint fails' : 'TLS with an endpoint is in order again',
      ...(failure ? { reason: `${failure.reason}: ${failure.detail}` } : {}),
    });
  }

  #configurePool(endpoint: Endpoint, before: PoolSettings) {
    const { pool } = this.settings;
    endpoint.pool.settings = pool;
    if (pool.http2 === before.http2 && isAlike(pool.security, before.security)) return;
    endpoint.pool.close();
    endpoint.pool = this.#openPool(endpoint.address, endpoint.port);
  }

  #select() {
    const { selection, sticky } = this.settings;
    const endpoints = [...this.#endpoints.values()];
    this.health?.look();
    for (const endpoint of endpoints) endpoint.timed = selection.algorithm.byLatency;
    this.#selection = new Selection(endpoints, this.#zone, selection);
    this.sticky = sticky && new StickySessions(sticky, this.name, this.#selection.endpoints);
    this.line.look();
  }

  /** Requests may have to wait for a connection. */
  get limitsConnections(): boolean {
    return this.#quota.most > 0 || this.settings.pool.maxConnections > 0;
  }

  /**
   * Has a request of a Route wait for a connection; see WaitingLine.join. Undefined: it must not wait, or
   * too many do.
   */
  wait(route: string, serve: () => boolean): (() => void) | undefined {
    if (this.settings.connections.queueTimeout === 0) return undefined;
    const leave = this.line.join(route, serve, this.guard?.pending);
    if (leave) this.refused.queued();
    return leave;
  }

  /**
   * The endpoint for a request, given that one was picked: that one when it has room, or another one.
   * Undefined: the request has to wait.
   * @param bound no other will do.
   */
  withRoom(picked: Endpoint, bound: boolean): Endpoint | undefined {
    if (picked.pool.room) return picked;
    const free = bound || this.settings.selection.algorithm.byKey ? undefined : this.#free(picked);
    return free ?? (this.#makeRoom(picked) ? picked : undefined);
  }

  #free(picked: Endpoint): Endpoint | undefined {
    const full = [picked];
    while (full.length < this.#selection.endpoints.length) {
      const other = this.#selection.pickOther(0, full);
      if (!other || full.includes(other)) return undefined;
      if (other.pool.room) return other;
      full.push(other);
    }
    return undefined;
  }

  /** Where all endpoints together are at their limit, one connection that idles makes room for another. */
  #makeRoom({ pool }: Endpoint): boolean {
    const { maxConnections } = pool.settings;
    if (maxConnections > 0 && pool.open >= maxConnections) return false;
    for (const other of this.#endpoints.values()) if (other.pool.closeIdle()) return true;
    return false;
  }

  /**
   * The endpoint for the next request; undefined when there is none.
   * @param key 32 bits of what balancing goes by.
   */
  pick(key = 0): Endpoint | undefined {
    if (this.health?.stale) this.#look();
    return this.#selection.pick(key);
  }

  #look() {
    this.health?.look();
    this.#selection.refresh();
  }

  /**
   * The endpoint for a request that those in `tried` did not serve: of another zone, if there is one, and
   * none of `tried` as long as there are others.
   */
  pickOther(key = 0, tried: readonly Endpoint[] = []): Endpoint | undefined {
    if (this.health?.stale) this.#look();
    return this.#selection.pickOther(key, tried);
  }

  /** Lets an attempt through, or not: see Breaker.admit. */
  admit(at: number): number {
    return this.guard?.breaker?.admit(at) ?? 0;
  }

  /** @param ticket what `admit` gave for the attempt. */
  settle(endpoint: Endpoint, ticket: number, outcome: Outcome) {
    this.guard?.breaker?.settle(ticket, outcome, now());
    this.health?.record(endpoint, outcome, this.label);
  }

  get size(): number {
    return this.#endpoints.size;
  }

  close() {
    this.guard?.close();
    this.health?.close();
    for (const { pool } of this.#endpoints.values()) pool.close();
  }
}
