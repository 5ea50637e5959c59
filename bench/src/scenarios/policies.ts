import { envoyPolicies } from '../policies/envoy.ts';
import { gatehousePolicies } from '../policies/gatehouse.ts';
import { haproxyPolicies } from '../policies/haproxy.ts';
import type { Entrant, Scenario, Site } from '../scenario.ts';

const plain: Site = { routes: [{ name: 'users', prefix: '/api/users' }] };

function guarded(peer: Entrant['peer'], addition: NonNullable<Site['addition']>): Entrant {
  return {
    name: `${peer}-policies`,
    peer,
    site: { ...plain, addition, accessLog: true },
    refuses: ['bad token', 'excess'],
  };
}

export const policies: Scenario = {
  name: 'policies',
  summary:
    'JWT (as in jwt), a local rate limit that is never reached, metrics and an access log together; nginx only forwards.',
  load: {
    connections: 64,
    paths: ['/api/users/42'],
    tokens: { count: 16, kind: 'repeated' },
  },
  entrants: [
    guarded('gatehouse', gatehousePolicies),
    guarded('haproxy', haproxyPolicies),
    guarded('envoy', envoyPolicies),
    { name: 'nginx', peer: 'nginx', site: plain },
  ],
  reference: 'nginx',
  bars: [
    { kind: 'throughput', of: 'gatehouse-policies', to: 'nginx', atLeast: 0.55 },
    { kind: 'throughput', of: 'gatehouse-policies', to: 'haproxy-policies', atLeast: 1.3 },
    { kind: 'throughput', of: 'gatehouse-policies', to: 'envoy-policies', atLeast: 1.3 },
  ],
};
