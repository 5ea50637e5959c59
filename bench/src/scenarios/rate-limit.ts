import { envoyLimit } from '../policies/envoy.ts';
import { gatehouseLimit } from '../policies/gatehouse.ts';
import { haproxyLimit } from '../policies/haproxy.ts';
import { nginxLimit } from '../policies/nginx.ts';
import type { Entrant, Scenario, Site } from '../scenario.ts';

const plain: Site = { routes: [{ name: 'users', prefix: '/api/users' }] };

function limited(peer: Entrant['peer'], addition: NonNullable<Site['addition']>): Entrant {
  return {
    name: `${peer}-limit`,
    peer,
    site: { ...plain, addition },
    refuses: ['excess'],
  };
}

export const rateLimit: Scenario = {
  name: 'rate-limit',
  summary:
    'A local limit that is never reached, counted by client address; gatehouse and nginx have none.',
  load: { connections: 64, paths: ['/api/users/42'] },
  entrants: [
    { name: 'gatehouse', peer: 'gatehouse', site: plain },
    limited('gatehouse', gatehouseLimit),
    { name: 'nginx', peer: 'nginx', site: plain },
    limited('nginx', nginxLimit),
    limited('haproxy', haproxyLimit),
    limited('envoy', envoyLimit),
  ],
  reference: 'nginx',
  bars: [{ kind: 'throughput', of: 'gatehouse-limit', to: 'gatehouse', atLeast: 0.9 }],
};
