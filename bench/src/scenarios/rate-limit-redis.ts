import { gatehouseLimit, gatehouseRedisLimit } from '../policies/gatehouse.ts';
import type { Scenario, Site } from '../scenario.ts';

const plain: Site = { routes: [{ name: 'users', prefix: '/api/users' }] };

export const rateLimitRedis: Scenario = {
  name: 'rate-limit-redis',
  summary:
    'What counting in Redis adds to each request: about 2,000 requests/s, a limit that is never reached, Redis on this machine.',
  load: { connections: 64, paths: ['/api/users/42'], rate: 2000 },
  redis: true,
  entrants: [
    { name: 'gatehouse', peer: 'gatehouse', site: plain },
    {
      name: 'gatehouse-limit',
      peer: 'gatehouse',
      site: { ...plain, addition: gatehouseLimit },
      refuses: ['excess'],
    },
    {
      name: 'gatehouse-redis',
      peer: 'gatehouse',
      site: { ...plain, addition: gatehouseRedisLimit },
      refuses: ['excess'],
    },
  ],
  reference: 'gatehouse',
  bars: [{ kind: 'added-p99', of: 'gatehouse-redis', to: 'gatehouse', belowMs: 2 }],
};
