import type { Entrant, Scenario, Site } from '../scenario.ts';

const site: Site = { routes: [{ name: 'echo', prefix: '/echo' }] };

const entrants: readonly Entrant[] = (['gatehouse', 'nginx', 'haproxy', 'envoy'] as const).map(
  (peer) => ({ name: peer, peer, site }),
);

export const websocket: Scenario = {
  name: 'websocket',
  summary:
    'WebSockets that are open and echo a message of 32 bytes a second each: requests are messages there and back, memory is read while all are open.',
  load: { connections: 5000, downstream: 'websocket', paths: ['/echo'], rate: 5000 },
  service: { kind: 'echo' },
  entrants,
  reference: 'nginx',
  bars: [{ kind: 'open-memory', of: 'gatehouse', belowMib: 200 }],
};
