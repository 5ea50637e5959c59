import { envoyJwt } from '../policies/envoy.ts';
import { gatehouseJwt } from '../policies/gatehouse.ts';
import { haproxyJwt } from '../policies/haproxy.ts';
import type { Entrant, Load, Refusal, Scenario, Site } from '../scenario.ts';

const plain: Site = { routes: [{ name: 'users', prefix: '/api/users' }] };
const refuses: readonly Refusal[] = ['bad token'];

const checking: readonly Entrant[] = [
  {
    name: 'gatehouse-jwt',
    peer: 'gatehouse',
    site: { ...plain, addition: gatehouseJwt },
    refuses,
  },
  { name: 'envoy-jwt', peer: 'envoy', site: { ...plain, addition: envoyJwt }, refuses },
  { name: 'haproxy-jwt', peer: 'haproxy', site: { ...plain, addition: haproxyJwt }, refuses },
];

const load: Load = { connections: 64, paths: ['/api/users/42'] };

export const jwt: Scenario = {
  name: 'jwt',
  summary:
    'JWT checked (RS256, 2048 bits: signature and exp), 16 tokens in turn; gatehouse and nginx forward without a check.',
  load: { ...load, tokens: { count: 16, kind: 'repeated' } },
  entrants: [
    { name: 'gatehouse', peer: 'gatehouse', site: plain },
    ...checking,
    { name: 'nginx', peer: 'nginx', site: plain },
  ],
  reference: 'nginx',
  bars: [
    { kind: 'throughput', of: 'gatehouse-jwt', to: 'gatehouse', atLeast: 0.75 },
    { kind: 'throughput', of: 'gatehouse-jwt', to: 'envoy-jwt', atLeast: 2 },
    { kind: 'throughput', of: 'gatehouse-jwt', to: 'haproxy-jwt', atLeast: 1 },
  ],
};

/** Several times what any token cache here holds. */
const freshTokens = 50_000;

export const jwtCold: Scenario = {
  name: 'jwt-cold',
  summary: `JWT checked as in jwt, a token that is in no cache with every request (${freshTokens} in turn).`,
  load: { ...load, tokens: { count: freshTokens, kind: 'fresh' } },
  entrants: checking,
  reference: 'envoy-jwt',
  bars: [{ kind: 'throughput', of: 'gatehouse-jwt', to: 'envoy-jwt', atLeast: 0.8 }],
};
