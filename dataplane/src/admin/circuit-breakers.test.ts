import { afterEach, beforeEach, expect, it } from 'vitest';
import { lanesOf } from '../testing/snapshot.ts';
import { Breaker } from '../upstreams/breaker.ts';
import { Oversight } from '../upstreams/oversight/oversight.ts';
import { ownUpstreamTables } from '../upstreams/shared/upstream-memory.ts';
import { startAdmin } from './admin.ts';

const tables = ownUpstreamTables();
let oversight: Oversight;
let admin: Awaited<ReturnType<typeof startAdmin>>;

const circuitBreaker = { failureThreshold: 1, timeoutMs: 60_000, halfOpenRequests: 1 };
const { config, endpoints } = lanesOf(
  {
    upstreams: {
      'upstream/default/users': { endpoints: [], more: { label: 'users', circuitBreaker } },
      'upstream/shop/users': { endpoints: [], more: { label: 'users', circuitBreaker } },
      'upstream/default/orders': { endpoints: [], more: { label: 'orders' } },
    },
  },
  8080,
);

beforeEach(async () => {
  oversight = new Oversight({ tables, counter: () => () => undefined, report: () => undefined });
  oversight.useConfig(config);
  admin = await startAdmin(
    {
      config: () => config,
      endpoints: () => endpoints,
      ready: () => true,
      metrics: () => '',
      reload: () => Promise.resolve(),
      breakers: () => oversight.breakers(),
      endpointState: (upstream, id) => oversight.endpoint(upstream, id),
      resetBreaker: (service) => oversight.reset(service),
    },
    { host: '127.0.0.1', port: 0 },
  );
  for (const name of ['upstream/default/users', 'upstream/shop/users']) {
    const settings = { failureThreshold: 1, timeout: 60_000, halfOpenRequests: 1 };
    const row = tables.upstreams.find(name)!;
    const breaker = new Breaker(row, { ...settings, errorRate: undefined }, () => undefined);
    breaker.settle(0, 'failure', 1000);
  }
});
afterEach(async () => {
  await admin.close();
  oversight.close();
});

async function call(request: string): Promise<[number, unknown]> {
  const [method = '', path] = request.split(' ');
  const response = await fetch(`http://127.0.0.1:${admin.port}${path}`, { method });
  return [response.status, await response.json()];
}

const states = () => oversight.breakers().map(({ resource, state }) => [resource, state]);
const open = [
  ['upstream/default/users', 'open'],
  ['upstream/shop/users', 'open'],
];

it('lists the breakers', async () => {
  const [status, body] = await call('GET /circuit-breakers');
  expect(status).toBe(200);
  expect(body).toEqual({
    circuitBreakers: ['upstream/default/users', 'upstream/shop/users'].map((resource) => ({
      service: 'users',
      resource,
      state: 'open',
      consecutiveFailures: 1,
      failureThreshold: 1,
      forSeconds: expect.any(Number),
      probesInSeconds: expect.any(Number),
    })),
  });
});

it.each<[string, number, string[][]]>([
  ['POST /circuit-breakers/users/reset', 200, open.map(([name = '']) => [name, 'closed'])],
  [
    'POST /circuit-breakers/upstream/shop/users/reset',
    200,
    [open[0]!, ['upstream/shop/users', 'closed']],
  ],
  [
    'POST /circuit-breakers/upstream%2Fshop%2Fusers/reset',
    200,
    [open[0]!, ['upstream/shop/users', 'closed']],
  ],
  ['POST /circuit-breakers/orders/reset', 404, open],
  ['POST /circuit-breakers/%ff/reset', 404, open],
  ['GET /circuit-breakers/users/reset', 405, open],
  ['POST /circuit-breakers', 405, open],
  ['POST /circuit-breakers//reset', 404, open],
])('%s: %i', async (request, status, expected) => {
  expect((await call(request))[0]).toBe(status);
  expect(states()).toEqual(expected);
});
