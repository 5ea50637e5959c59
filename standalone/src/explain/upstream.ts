import { fromBinary } from '@bufbuild/protobuf';
import {
  Balancing_Algorithm,
  type CircuitBreaker,
  Kind,
  keyOf,
  type ResourceSet,
  type Upstream,
  Upstream_Protocol,
  UpstreamSchema,
  type UpstreamTls,
} from '@gatehouse/snapshot';
import type { ExplainedBreaker, ExplainedTls, ExplainedUpstream } from './explanation.ts';
import type { LinkedSnapshot } from './linked.ts';

/** How the endpoints of an upstream are talked to; null: there is no such upstream. */
export function explainedUpstream(
  { config }: LinkedSnapshot,
  name: string,
): ExplainedUpstream | null {
  const resource = config.get(keyOf(Kind.UPSTREAM, name));
  if (!resource) return null;
  const { protocol, tls, balancing, circuitBreaker, outlierDetection, healthCheck } = fromBinary(
    UpstreamSchema,
    resource.body,
  );
  return {
    protocol: protocol === Upstream_Protocol.HTTP2 ? 'HTTP2' : 'HTTP1',
    tls: tls ? tlsOf(tls, config) : null,
    balancing: algorithmOf(balancing),
    balancingKey: balancing?.key ?? '',
    sticky: balancing?.sticky !== undefined,
    circuitBreaker: circuitBreaker ? breakerOf(circuitBreaker) : null,
    healthCheck: healthCheck?.probe.case ?? null,
    ejects: outlierDetection !== undefined,
  };
}

function tlsOf(tls: UpstreamTls, config: ResourceSet): ExplainedTls {
  const { serverName, authorities, clientCertificate, onlyTls13 } = tls;
  const named = [authorities, clientCertificate].filter((secret) => secret !== '');
  return {
    serverName,
    minVersion: onlyTls13 ? '1.3' : '1.2',
    authorities: secretText(authorities),
    clientCertificate: secretText(clientCertificate),
    complete: named.every((secret) => config.has(keyOf(Kind.SECRET, secret))),
  };
}

/** "authorities/shop/trust/ca.crt" and "shop/pair" by the name of their Secret. */
function secretText(resource: string): string {
  const parts = resource.split('/');
  return parts.length === 4 ? parts.slice(1, 3).join('/') : resource;
}

const algorithms: Record<Balancing_Algorithm, ExplainedUpstream['balancing']> = {
  [Balancing_Algorithm.ALGORITHM_UNSPECIFIED]: 'RoundRobin',
  [Balancing_Algorithm.ROUND_ROBIN]: 'RoundRobin',
  [Balancing_Algorithm.RANDOM]: 'Random',
  [Balancing_Algorithm.LEAST_REQUEST]: 'LeastRequest',
  [Balancing_Algorithm.PEAK_EWMA]: 'PeakEwma',
  [Balancing_Algorithm.RING_HASH]: 'RingHash',
  [Balancing_Algorithm.MAGLEV]: 'Maglev',
};

function algorithmOf(balancing: Upstream['balancing']): ExplainedUpstream['balancing'] {
  return algorithms[balancing?.algorithm ?? Balancing_Algorithm.ROUND_ROBIN];
}

function breakerOf({
  failureThreshold,
  timeoutMs,
  errorRate,
  limits,
}: CircuitBreaker): ExplainedBreaker {
  return {
    failureThreshold,
    timeout: timeoutMs,
    errorPercent: errorRate?.percent ?? 0,
    maxRequests: limits?.maxRequests ?? 0,
  };
}
