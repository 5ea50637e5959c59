import { isIP } from 'node:net';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { defaults, type UpstreamObject, type UpstreamSpec } from '@gatehouse/crds';
import { type EndpointSchema, Upstream_Protocol, type UpstreamSchema } from '@gatehouse/snapshot';
import { type DiscoverySource, discoverySource } from './discovery-source.ts';
import { milliseconds } from './durations.ts';
import { type Ref, refOf } from './refs.ts';
import { compareText, idOf, namespaceOf } from './resources.ts';
import { accepted, type Condition, listed, type Mistake, type Report, refused } from './status.ts';
import { compileBalancing } from './upstream-balancing.ts';
import { compileCircuitBreaker } from './upstream-circuit-breaker.ts';
import { compileHealthCheck, compileOutlierDetection } from './upstream-health.ts';
import { compileUpstreamTls } from './upstream-tls.ts';

type UpstreamInit = Extract<MessageInitShape<typeof UpstreamSchema>, { $typeName?: never }>;
type EndpointInit = MessageInitShape<typeof EndpointSchema>;

/** An Upstream of which only the endpoints of its Service, Consul or DNS are open. */
export type CheckedUpstream = {
  object: UpstreamObject;
  mistakes: Mistake[];
  /** False: Routes must not use it. */
  usable: boolean;
  message: UpstreamInit;
  static: EndpointInit[];
  service: Ref | undefined;
  /** Endpoints come from Consul or DNS, even if nobody can be asked. */
  discovered: boolean;
  source: DiscoverySource | undefined;
};

/** What a Service is without an Upstream resource. */
export function defaultUpstream(label: string, h2c: boolean): UpstreamInit {
  return settings(label, h2c ? { protocol: 'HTTP2' } : {}, unreported);
}

/** For text that is known to be well-formed. */
const unreported: Report = (path, reason) => {
  throw new RangeError(`Cannot read default "${path}": ${reason}`);
};

function settings(label: string, spec: Omit<UpstreamSpec, 'endpoints'>, report: Report) {
  const { connectTimeout = defaults.connectTimeout, pool = {} } = spec;
  const {
    maxIdle = defaults.poolMaxIdle,
    idleTimeout = defaults.poolIdleTimeout,
    maxLifetime = defaults.poolMaxLifetime,
    queueTimeout,
  } = pool;
  return {
    label,
    connectTimeoutMs: milliseconds(connectTimeout, 'spec.connectTimeout', report),
    maxIdleConnections: maxIdle,
    idleTimeoutMs: milliseconds(idleTimeout, 'spec.pool.idleTimeout', report),
    maxConnections: pool.maxConnections ?? 0,
    maxLifetimeMs: milliseconds(maxLifetime, 'spec.pool.maxLifetime', report),
    ...(spec.protocol === 'HTTP2' ? { protocol: Upstream_Protocol.HTTP2 } : {}),
    ...(queueTimeout === undefined
      ? {}
      : { queueTimeoutMs: milliseconds(queueTimeout, 'spec.pool.queueTimeout', report) }),
  };
}

/** Blocks that are left out when they are not sound: without them requests are served still. */
function blocks({ spec, metadata }: UpstreamObject, report: Report): Partial<UpstreamInit> {
  const identity = `${idOf({ metadata })} ${metadata.uid ?? ''}`;
  return {
    ...block('balancing', spec, report, (balancing, path, told) =>
      compileBalancing(balancing, identity, path, told),
    ),
    ...block('circuitBreaker', spec, report, compileCircuitBreaker),
    ...block('outlierDetection', spec, report, compileOutlierDetection),
    ...block('healthCheck', spec, report, compileHealthCheck),
  };
}

/** A block of the spec as the field of the same name; nothing when a mistake was told. */
function block<K extends keyof UpstreamInit & keyof UpstreamSpec>(
  name: K,
  spec: UpstreamSpec,
  report: Report,
  compile: (value: NonNullable<UpstreamSpec[K]>, path: string, report: Report) => UpstreamInit[K],
): Partial<UpstreamInit> {
  const value = spec[name];
  if (value === undefined || value === null) return {};
  let sound = true;
  const compiled = compile(value, `spec.${name}`, (path, reason) => {
    sound = false;
    report(path, reason);
  });
  return sound ? { [name]: compiled } : {};
}

export function checkUpstream(object: UpstreamObject): CheckedUpstream {
  const { endpoints, ...spec } = object.spec;
  const from = { kind: 'Upstream', namespace: namespaceOf(object) } as const;
  const mistakes: Mistake[] = [];
  const report: Report = (path, reason) => mistakes.push({ path, reason });
  const message = settings(object.metadata.name, spec, report);
  const sound = mistakes.length === 0;
  const more = blocks(object, report);
  const fixed = staticEndpoints(endpoints.static ?? [], report);
  const discovered = endpoints.consul !== undefined || endpoints.dns !== undefined;
  const source = discoverySource(endpoints, report);
  if (Object.keys(endpoints).length === 0) {
    report('spec.endpoints', 'exactly one of static, service, consul and dns must be given');
  }
  return {
    object,
    mistakes,
    usable: sound && (fixed.length > 0 || endpoints.service !== undefined || discovered),
    message: {
      ...message,
      ...more,
      ...(spec.tls ? { tls: compileUpstreamTls(spec.tls) } : {}),
    },
    static: fixed,
    service: endpoints.service && refOf(endpoints.service, from, 'spec.endpoints.service'),
    discovered,
    source,
  };
}

function staticEndpoints(
  list: NonNullable<UpstreamObject['spec']['endpoints']['static']>,
  report: Report,
): EndpointInit[] {
  const seen = new Set<string>();
  const endpoints = list.flatMap(
    ({ address, port, weight = defaults.endpointWeight, zone = '' }, i) => {
      const at = `spec.endpoints.static[${i}]`;
      if (isIP(address) === 0) {
        report(`${at}.address`, `"${address}" must be an IPv4 or IPv6 address`);
        return [];
      }
      const id = `${address} ${port}`;
      if (seen.has(id)) {
        report(at, `${address} port ${port} is given twice`);
        return [];
      }
      seen.add(id);
      return [{ address, port, weight, zone, hintedZones: zone === '' ? [] : [zone] }];
    },
  );
  return endpoints.sort((a, b) => compareText(a.address, b.address) || a.port - b.port);
}

export function upstreamAccepted({ usable, mistakes }: CheckedUpstream): Condition {
  if (mistakes.length === 0) return accepted();
  if (!usable) return refused('UnsupportedValue', listed(mistakes));
  return { ...accepted(listed(mistakes)), reason: 'PartiallyInvalid' };
}
