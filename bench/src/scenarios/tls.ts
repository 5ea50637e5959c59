import type { Entrant, Load, Scenario, Site } from '../scenario.ts';

const site: Site = { routes: [{ name: 'users', prefix: '/api/users' }] };

const entrants: readonly Entrant[] = (['gatehouse', 'nginx', 'haproxy', 'envoy'] as const).map(
  (peer) => ({ name: peer, peer, site }),
);

const load: Load = { connections: 64, downstream: 'tls', paths: ['/api/users/42'] };

export const tls: Scenario = {
  name: 'tls',
  summary:
    'A TLS 1.3 handshake that resumes a session with every request (ECDSA P-256, X25519), HTTP/1.1, otherwise as plain. The p99 is without the handshake.',
  load: { ...load, perRequest: true },
  entrants,
  reference: 'nginx',
  bars: [{ kind: 'throughput', of: 'gatehouse', to: 'nginx', atLeast: 0.7 }],
};

export const tlsKeepAlive: Scenario = {
  name: 'tls-keep-alive',
  group: 'tls',
  summary: 'TLS 1.3 on connections that are kept, otherwise as plain.',
  load,
  entrants,
  reference: 'nginx',
  bars: [],
};
