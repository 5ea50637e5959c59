import { fromBinary } from '@bufbuild/protobuf';
import { compileExpression, defaults, parseDuration } from '@gatehouse/crds';
import {
  type Balancing,
  Balancing_Algorithm,
  type CircuitBreaker,
  EndpointsSchema,
  Kind,
  keyOf,
  type Resource,
  type ResourceSet,
  sameHash,
  Upstream_Protocol,
  type Upstream as UpstreamMessage,
  UpstreamSchema,
} from '@gatehouse/snapshot';
import type { ThreadState } from '../filters/thread-state.ts';
import { algorithms } from '../upstreams/balancing/algorithms.ts';
import { roundRobin } from '../upstreams/balancing/round-robin.ts';
import type { GuardSettings } from '../upstreams/guard.ts';
import { ejectionOf } from '../upstreams/health/ejection-settings.ts';
import { isCurrent, linkSecurity } from '../upstreams/linked-security.ts';
import { probeOf } from '../upstreams/oversight/probes.ts';
import type { Security } from '../upstreams/security.ts';
import { Upstream, type UpstreamSettings } from '../upstreams/upstream.ts';
import type { RefusedResource } from './refusals.ts';
import { refusedSecrets } from './upstream-secrets.ts';

/**
 * Links an Upstream. One that is known keeps its connections and its state; `later` gets what its new
 * settings change, to be done when the snapshot comes into force.
 */
export function linkUpstream(
  { name, hash, body }: Resource,
  known: Upstream | undefined,
  config: ResourceSet,
  thread: ThreadState,
  refusals: RefusedResource[],
  later: (change: () => void) => void,
): Upstream {
  if (known && isSame(known.settings, hash, config)) return known;
  const message = fromBinary(UpstreamSchema, body);
  const security = linkSecurity(message.tls, config);
  const settings = settingsOf(hash, message, security, thread.upstreams.threads, (path, reason) =>
    refusals.push({ kind: Kind.UPSTREAM, name, path, reason }),
  );
  if (security) {
    refusals.push(...refusedSecrets(security, known?.settings.pool.security, Date.now()));
  }
  if (!known) return new Upstream(name, settings, thread.upstreams);
  later(() => known.configure(settings));
  return known;
}

function isSame({ hash: known, pool }: UpstreamSettings, hash: Uint8Array, config: ResourceSet) {
  return sameHash(known, hash) && isCurrent(pool.security, config);
}

export type LinkedUpstreams = ReadonlyMap<string, Upstream>;

const usualQueueTimeout = parseDuration(defaults.queueTimeout);

/** What one of so many threads may have of a limit; 0: there is none. */
function shareOf(limit: number, threads: number): number {
  return Math.ceil(limit / threads);
}

type Refuse = (path: string, reason: string) => void;

function settingsOf(
  hash: Uint8Array,
  message: UpstreamMessage,
  security: Security | undefined,
  threads: number,
  refuse: Refuse,
): UpstreamSettings {
  return {
    hash,
    label: message.label,
    pool: {
      http2: message.protocol === Upstream_Protocol.HTTP2,
      security,
      connectTimeout: message.connectTimeoutMs,
      maxIdle: message.maxIdleConnections,
      idleTimeout: message.idleTimeoutMs,
      maxConnections: shareOf(message.maxConnections, threads),
      maxLifetime: message.maxLifetimeMs,
    },
    connections: {
      maxConnections: shareOf(message.circuitBreaker?.limits?.maxConnections ?? 0, threads),
      queueTimeout: message.queueTimeoutMs ?? usualQueueTimeout,
    },
    ...balancingOf(message.balancing, refuse),
    guard: message.circuitBreaker && guardOf(message.circuitBreaker),
    health: healthOf(message, refuse),
  };
}

function balancingOf(
  balancing: Balancing | undefined,
  refuse: Refuse,
): Pick<UpstreamSettings, 'selection' | 'key' | 'sticky'> {
  const {
    algorithm: number = Balancing_Algorithm.ROUND_ROBIN,
    key = '',
    sticky,
    slowStartMs = 0,
    slowStartMinPercent = 0,
    panicPercent = defaults.panicThreshold,
    anyZone = false,
  } = balancing ?? {};
  const algorithm = algorithms[number];
  if (!algorithm) refuse('balancing.algorithm', `${number} is none this release knows`);
  return {
    selection: {
      algorithm: algorithm ?? roundRobin,
      slowStart:
        slowStartMs > 0 ? { window: slowStartMs, least: slowStartMinPercent / 100 } : undefined,
      panicPercent,
      anyZone,
    },
    key: algorithm?.byKey ? compiledKey(key, refuse) : undefined,
    sticky: sticky && {
      cookie: sticky.cookie,
      path: sticky.path,
      ttl: sticky.ttlSeconds,
      seed: sticky.seed,
    },
  };
}

function healthOf(
  { healthCheck, outlierDetection }: UpstreamMessage,
  refuse: Refuse,
): UpstreamSettings['health'] {
  if (healthCheck && !probeOf(healthCheck, undefined)) {
    refuse('healthCheck', 'is of a kind this release does not know');
  }
  if (!healthCheck && !outlierDetection) return undefined;
  return { ejection: outlierDetection && ejectionOf(outlierDetection) };
}

function guardOf(breaker: CircuitBreaker): GuardSettings {
  const { failureThreshold, timeoutMs, halfOpenRequests, errorRate, limits } = breaker;
  return {
    breaker: {
      failureThreshold: failureThreshold > 0 ? failureThreshold : Number.POSITIVE_INFINITY,
      timeout: timeoutMs,
      halfOpenRequests,
      errorRate: errorRate && {
        percent: errorRate.percent,
        window: errorRate.windowMs,
        minimumRequests: errorRate.minimumRequests,
      },
    },
    maxRequests: limits?.maxRequests ?? 0,
    maxRetries: limits?.maxRetries ?? 0,
    maxPending: limits?.maxPending ?? 0,
  };
}

function compiledKey(text: string, refuse: Refuse): UpstreamSettings['key'] {
  try {
    return compileExpression(text, 'header', 'identity');
  } catch (error) {
    refuse('balancing.key', error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/**
 * Gives an upstream its endpoints from the endpoints lane; none when the lane does not name it.
 * @param zone of this data plane; "" when it is not known.
 */
export function applyEndpoints(upstream: Upstream, endpoints: ResourceSet, zone = '') {
  const resource = endpoints.get(keyOf(Kind.ENDPOINTS, upstream.name));
  const list = resource ? fromBinary(EndpointsSchema, resource.body).endpoints : [];
  upstream.setEndpoints(list, zone);
}

/** Closes those upstreams that `kept` does not have. */
export function closeOthers(upstreams: LinkedUpstreams, kept: LinkedUpstreams | undefined) {
  for (const [name, upstream] of upstreams) if (kept?.get(name) !== upstream) upstream.close();
}
