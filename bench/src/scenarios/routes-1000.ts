import type { Route, Scenario, Site } from '../scenario.ts';

const routeCount = 1000;
const pathCount = 500;

const routes: readonly Route[] = Array.from({ length: routeCount }, (_, index) => {
  const name = `service-${String(index).padStart(4, '0')}`;
  return { name, prefix: `/api/${name}` };
});

// 7 shares no factor with 1000, so the 500 paths hit 500 different routes from all over the list.
const paths = Array.from({ length: pathCount }, (_, index) => {
  const route = String((index * 7) % routeCount).padStart(4, '0');
  return `/api/service-${route}/items/42`;
});

const thousand: Site = { routes };
const single: Site = { routes: [{ name: 'all', prefix: '/api' }] };

export const routes1000: Scenario = {
  name: 'routes-1000',
  summary: `${routeCount} routes, the load spread over ${pathCount} of them; gatehouse-1-route serves the same paths with one.`,
  load: { connections: 64, paths },
  entrants: [
    { name: 'gatehouse', peer: 'gatehouse', site: thousand },
    { name: 'gatehouse-1-route', peer: 'gatehouse', site: single },
    { name: 'nginx', peer: 'nginx', site: thousand },
    { name: 'envoy', peer: 'envoy', site: thousand },
  ],
  reference: 'nginx',
  bars: [{ kind: 'throughput', of: 'gatehouse', to: 'gatehouse-1-route', atLeast: 0.95 }],
};
