import { fromBinary } from '@bufbuild/protobuf';
import {
  type Endpoint,
  EndpointsSchema,
  Kind,
  keyOf,
  type Resource,
  type ResourceSet,
  sameHash,
  type Upstream,
  UpstreamSchema,
} from '@gatehouse/snapshot';
import { now } from '../../state/clock.ts';
import { labelValue } from '../../state/label-value.ts';
import type { ProcessMetric } from '../../telemetry/prometheus.ts';
import { resetBreaker } from '../breaker.ts';
import { isCurrent, linkSecurity } from '../linked-security.ts';
import type { Security } from '../security.ts';
import { type BreakerView, breakerView } from './breaker-view.ts';
import { type EndpointState, type EndpointView, endpointView, stateOf } from './endpoint-view.ts';
import { type Overseen, WatchedUpstream } from './watched-upstream.ts';

/** An upstream; `watched` is undefined for one that needs no looking after. */
type OverseenUpstream = {
  hash: Uint8Array;
  security: Security | undefined;
  watched: WatchedUpstream | undefined;
};

/** Milliseconds between two looks at who may come back. */
const lookInterval = 100;

const states: readonly EndpointState[] = ['in service', 'ejected', 'unhealthy'];
const breakerNumbers = { closed: 0, open: 1, 'half-open': 2 };

/**
 * What the main thread of a data plane does for the upstreams of all threads: it asks endpoints whether
 * they are well, lets ejected ones come back, shows what is known of them, and holds their rows, so that
 * it outlives each thread.
 */
export class Oversight {
  readonly #around: Overseen;
  readonly #timer: NodeJS.Timeout;
  /** By name. */
  #upstreams = new Map<string, OverseenUpstream>();
  #endpoints: ResourceSet = new Map();

  constructor(around: Overseen) {
    this.#around = around;
    this.#timer = setInterval(() => this.#look(), lookInterval);
    this.#timer.unref();
  }

  /** Takes on the upstreams of a snapshot that is in use. */
  useConfig(config: ResourceSet) {
    const before = this.#upstreams;
    const next: typeof before = new Map();
    for (const resource of config.values()) {
      if (resource.kind !== Kind.UPSTREAM) continue;
      const known = before.get(resource.name);
      const same =
        known && sameHash(known.hash, resource.hash) && isCurrent(known.security, config);
      next.set(resource.name, same ? known : this.#oversee(resource, config));
    }
    this.#upstreams = next;
    // Last, so that rows that stay are held all the time.
    for (const [name, one] of before) if (next.get(name) !== one) one.watched?.close();
  }

  #oversee({ name, hash, body }: Resource, config: ResourceSet): OverseenUpstream {
    const message = fromBinary(UpstreamSchema, body);
    if (!message.circuitBreaker && !isJudged(message)) {
      return { hash, security: undefined, watched: undefined };
    }
    const security = linkSecurity(message.tls, config);
    const watched = new WatchedUpstream(name, message, security, this.#around, now());
    if (isJudged(message)) watched.setEndpoints(this.#endpointsOf(name));
    return { hash, security, watched };
  }

  useEndpoints(endpoints: ResourceSet) {
    const before = this.#endpoints;
    this.#endpoints = endpoints;
    for (const [name, { watched }] of this.#upstreams) {
      const key = keyOf(Kind.ENDPOINTS, name);
      if (!watched || !isJudged(watched.message) || before.get(key) === endpoints.get(key))
        continue;
      watched.setEndpoints(this.#endpointsOf(name));
    }
  }

  #endpointsOf(name: string): Endpoint[] {
    const resource = this.#endpoints.get(keyOf(Kind.ENDPOINTS, name));
    return resource ? fromBinary(EndpointsSchema, resource.body).endpoints : [];
  }

  #look() {
    const at = now();
    for (const { watched } of this.#upstreams.values()) watched?.look(at);
  }

  breakers(): BreakerView[] {
    const at = now();
    return this.#sorted()
      .filter(({ message }) => message.circuitBreaker)
      .map(({ name, message, row }) => breakerView(name, message, row, at));
  }

  /** Closes the breakers of the services with that label or resource name. False: there is none. */
  reset(wanted: string): boolean {
    const found = this.#sorted().filter(
      ({ name, message }) =>
        message.circuitBreaker && (name === wanted || message.label === wanted),
    );
    for (const { row } of found) resetBreaker(row, now());
    return found.length > 0;
  }

  /** Undefined when nobody finds out about the endpoints of that upstream. */
  endpoint(upstream: string, id: string): EndpointView | undefined {
    const found = this.#upstreams.get(upstream)?.watched?.endpoint(id);
    return found && endpointView(found.row, found.view, now());
  }

  metrics(): ProcessMetric[] {
    const breakers = this.breakers().map(({ service, resource, state }) => ({
      name: 'gateway_circuit_breaker_state',
      type: 'gauge' as const,
      help: 'State of a circuit breaker: 0 closed, 1 open, 2 half-open.',
      labels: labelsOf(service, resource),
      value: breakerNumbers[state],
    }));
    const endpoints = this.#sorted()
      .filter(({ message }) => isJudged(message))
      .flatMap((watched) => {
        const found = watched.rows().map(stateOf);
        return states.map((state) => ({
          name: 'gateway_endpoints',
          type: 'gauge' as const,
          help: 'Endpoints that are checked or may be ejected, by state.',
          labels: `${labelsOf(watched.message.label, watched.name)},state="${state}"`,
          value: found.filter((one) => one === state).length,
        }));
      });
    return [...breakers, ...endpoints];
  }

  #sorted(): WatchedUpstream[] {
    const all = [...this.#upstreams.values()].flatMap(({ watched }) => watched ?? []);
    return all.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  close() {
    clearInterval(this.#timer);
    this.useConfig(new Map());
  }
}

/** Somebody finds out which of its endpoints are in service. */
function isJudged({ outlierDetection, healthCheck }: Upstream): boolean {
  return outlierDetection !== undefined || healthCheck !== undefined;
}

function labelsOf(service: string, upstream: string): string {
  return `service="${labelValue(service)}",upstream="${labelValue(upstream)}"`;
}
