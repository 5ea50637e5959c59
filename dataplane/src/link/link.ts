import { Kind, type ResourceSet } from '@gatehouse/snapshot';
import type { ThreadState } from '../filters/thread-state.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { linkPorts } from './listeners.ts';
import { linkPolicies, replacePolicies, scopesOf } from './policies.ts';
import type { RefusedResource } from './refusals.ts';
import { linkRoutes } from './routes.ts';
import type { Runtime } from './runtime.ts';
import { applyEndpoints, closeOthers, linkUpstream } from './upstreams.ts';

const knownKinds = new Set([Kind.LISTENER, Kind.ROUTE, Kind.UPSTREAM, Kind.SECRET, Kind.POLICY]);

/** Resources that are looked at in one step. */
const stepSize = 64;

export type Linked =
  | {
      runtime: Runtime;
      /** Puts it into force: new settings of upstreams that stay, what runs beside policies. */
      commit(): void;
    }
  | { refusals: RefusedResource[] };

/**
 * Turns a snapshot into a runtime, all or nothing. What did not change is taken from `previous`:
 * upstreams keep their pools, routes their counters and places in rotation. Until `commit` nothing
 * that `previous` uses is touched.
 */
export function link(...args: Parameters<typeof linkSteps>): Linked {
  const steps = linkSteps(...args);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** `link` in steps of well under a millisecond, so that requests can be served in between. */
export function* linkSteps(
  config: ResourceSet,
  endpoints: ResourceSet,
  previous: Runtime | undefined,
  thread: ThreadState,
  zone = '',
): Generator<void, Linked> {
  const refusals: RefusedResource[] = [];
  const settings: (() => void)[] = [];
  const upstreams = new Map<string, Upstream>();
  let count = 0;
  for (const resource of config.values()) {
    const { kind, name } = resource;
    if (++count % stepSize === 0) yield;
    if (!knownKinds.has(kind)) {
      // A release before this one must not serve as if what it does not know were not there.
      refusals.push({ kind, name, path: '', reason: 'is of a kind this release does not know' });
    }
    if (kind !== Kind.UPSTREAM) continue;
    const known = previous?.upstreams.get(name);
    const upstream = linkUpstream(resource, known, config, thread, refusals, (change) =>
      settings.push(change),
    );
    if (!known) applyEndpoints(upstream, endpoints, zone);
    upstreams.set(name, upstream);
  }
  const policies = linkPolicies(config, thread, previous?.policies, refusals);
  const scopes = scopesOf(policies);
  yield;
  const routes = yield* linkRoutes(config, { upstreams, scopes }, previous?.routes, refusals);
  const ports = yield* linkPorts(config, { routes, scopes }, previous, refusals);
  if (refusals.length > 0) {
    closeOthers(upstreams, previous?.upstreams);
    return { refusals };
  }
  const runtime: Runtime = { ports, routes, policies, upstreams };
  return {
    runtime,
    commit() {
      for (const apply of settings) apply();
      replacePolicies(previous?.policies, policies);
    },
  };
}
