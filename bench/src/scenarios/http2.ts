import type { Entrant, Scenario, Site } from '../scenario.ts';
import { grpcFrame } from '../service.ts';

function all(site: Site): readonly Entrant[] {
  return (['gatehouse', 'nginx', 'haproxy', 'envoy'] as const).map((peer) => ({
    name: peer,
    peer,
    site,
  }));
}

export const h2: Scenario = {
  name: 'h2',
  summary:
    'HTTP/2 in cleartext with prior knowledge (h2load) to an HTTP/1.1 upstream, otherwise as plain.',
  load: { connections: 16, streams: 8, downstream: 'http2', paths: ['/api/users/42'] },
  entrants: all({ routes: [{ name: 'users', prefix: '/api/users' }] }),
  reference: 'nginx',
  bars: [
    { kind: 'throughput', of: 'gatehouse', to: 'nginx', atLeast: 0.6 },
    { kind: 'throughput', of: 'gatehouse', to: 'envoy', atLeast: 1 },
  ],
};

export const grpc: Scenario = {
  name: 'grpc',
  summary:
    'gRPC, unary, HTTP/2 in cleartext on both sides: a message of 7 bytes each way, and grpc-status in the trailers.',
  load: {
    connections: 16,
    streams: 8,
    downstream: 'http2',
    paths: ['/bench.Greeter/Hello'],
    method: 'POST',
    headers: { 'content-type': 'application/grpc', te: 'trailers' },
    body: grpcFrame('\n\u0005world'),
  },
  service: { kind: 'grpc' },
  entrants: all({ routes: [{ name: 'greeter', prefix: '/bench.Greeter' }] }),
  reference: 'nginx',
  bars: [
    { kind: 'throughput', of: 'gatehouse', to: 'nginx', atLeast: 1.5 },
    { kind: 'throughput', of: 'gatehouse', to: 'envoy', atLeast: 0.6 },
  ],
};
