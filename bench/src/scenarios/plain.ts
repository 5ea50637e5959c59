import type { Scenario, Site } from '../scenario.ts';

const site: Site = { routes: [{ name: 'users', prefix: '/api/users' }] };

export const plain: Scenario = {
  name: 'plain',
  summary:
    'One route to one upstream, plain HTTP/1.1 with keep-alive on both sides, access logs off.',
  load: { connections: 64, paths: ['/api/users/42'] },
  entrants: [
    { name: 'gatehouse', peer: 'gatehouse', site },
    { name: 'nginx', peer: 'nginx', site },
    { name: 'haproxy', peer: 'haproxy', site },
    { name: 'envoy', peer: 'envoy', site },
    { name: 'node-undici', peer: 'node-undici', site },
    { name: 'http-proxy', peer: 'http-proxy', site },
  ],
  reference: 'nginx',
  bars: [
    { kind: 'throughput', of: 'gatehouse', to: 'nginx', atLeast: 0.7 },
    { kind: 'throughput', of: 'gatehouse', to: 'envoy', atLeast: 1.8 },
    { kind: 'p99', of: 'gatehouse', to: 'envoy', atMost: 1 },
    { kind: 'idle-memory', of: 'gatehouse', belowMib: 90 },
  ],
};
