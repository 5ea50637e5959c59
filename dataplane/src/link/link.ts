import { fromBinary } from '@bufbuild/protobuf';
import {
  EndpointsSchema,
  Kind,
  keyOf,
  type ResourceSet,
  UpstreamSchema,
  versionOf,
} from '@gatehouse/snapshot';
import type { TimerWheel } from '../state/timer-wheel.ts';
import type { PoolSettings } from '../upstreams/endpoint-pool.ts';
import { Upstream } from '../upstreams/upstream.ts';
import { linkPorts } from './listeners.ts';
import type { RefusedResource } from './refusals.ts';
import { linkRoutes } from './routes.ts';
import type { Runtime } from './runtime.ts';

export type Linked =
  | { runtime: Runtime /** Puts new settings of upstreams that stay into force. */; commit(): void }
  | { refusals: RefusedResource[] };

/**
 * Turns a snapshot into a runtime, all or nothing. What did not change is taken from `previous`:
 * upstreams keep their pools, routes their counters and places in rotation. Until `commit` nothing
 * that `previous` uses is touched.
 */
export function link(
  config: ResourceSet,
  endpoints: ResourceSet,
  previous: Runtime | undefined,
  wheel: TimerWheel,
  zone = '',
): Linked {
  const refusals: RefusedResource[] = [];
  const settings: (() => void)[] = [];
  const upstreams = new Map<string, Upstream>();
  for (const { kind, name, body } of config.values()) {
    if (kind !== Kind.UPSTREAM) continue;
    const message = fromBinary(UpstreamSchema, body);
    const pool: PoolSettings = {
      connectTimeout: message.connectTimeoutMs,
      maxIdle: message.maxIdleConnections,
      idleTimeout: message.idleTimeoutMs,
    };
    const known = previous?.upstreams.get(name);
    const upstream = known ?? new Upstream(name, message.label, pool, wheel);
    if (known) settings.push(() => known.configure(message.label, pool));
    else applyEndpoints(upstream, endpoints, zone);
    upstreams.set(name, upstream);
  }
  const routes = linkRoutes(config, upstreams, previous?.routes, refusals);
  const ports = linkPorts(config, routes, previous, refusals);
  if (refusals.length > 0) return { refusals };
  const runtime: Runtime = { version: versionOf(config), ports, routes, upstreams };
  return {
    runtime,
    commit() {
      for (const apply of settings) apply();
    },
  };
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
