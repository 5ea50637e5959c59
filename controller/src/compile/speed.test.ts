import type {
  EndpointSliceObject,
  GatewayObject,
  NamespaceObject,
  ReferenceGrantObject,
  RouteObject,
  ServiceObject,
} from '@gatehouse/crds';
import { Kind, keyOf } from '@gatehouse/snapshot';
import { expect, it } from 'vitest';
import { type Compiled, createCompiler, type Resources } from './index.ts';

const namespace = 'shop';
const group = 'gateway.networking.k8s.io';

function route(number: number, path = `/api/${number}`): RouteObject {
  return {
    apiVersion: 'gatehouse.dev/v1alpha1',
    kind: 'Route',
    metadata: { name: `route-${number}`, namespace },
    spec: {
      rules: [
        {
          name: 'all',
          matches: [{ path: { type: 'Prefix', value: path } }],
          backends: [{ name: `service-${number % 500}`, port: 80 }],
        },
      ],
    },
  };
}

/** A Route of another namespace than that of its backend. */
function farRoute(number: number, path?: string): RouteObject {
  const { metadata, spec, ...rest } = route(number, path);
  const rules = spec.rules.map((rule) => ({
    ...rule,
    backends: rule.backends?.map((backend) => ({ ...backend, namespace })) ?? [],
  }));
  return { ...rest, metadata: { ...metadata, namespace: `team-${number % 200}` }, spec: { rules } };
}

function team(number: number): NamespaceObject {
  const metadata = { name: `team-${number}`, labels: { exposed: String(number % 2 === 0) } };
  return { apiVersion: 'v1', kind: 'Namespace', metadata };
}

function grant(number: number): ReferenceGrantObject {
  return {
    apiVersion: `${group}/v1beta1`,
    kind: 'ReferenceGrant',
    metadata: { name: `team-${number}`, namespace },
    spec: {
      from: [{ group: 'gatehouse.dev', kind: 'Route', namespace: `team-${number}` }],
      to: [{ group: '', kind: 'Service' }],
    },
  };
}

const selecting: GatewayObject = {
  apiVersion: `${group}/v1`,
  kind: 'Gateway',
  metadata: { name: 'gw', namespace: 'infra' },
  spec: {
    gatewayClassName: 'gatehouse',
    listeners: [
      {
        name: 'http',
        port: 80,
        protocol: 'HTTP',
        allowedRoutes: {
          namespaces: { from: 'Selector', selector: { matchLabels: { exposed: 'true' } } },
        },
      },
    ],
  },
};

function service(number: number): ServiceObject {
  const metadata = { name: `service-${number}`, namespace };
  return { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } };
}

function slice(number: number): EndpointSliceObject {
  const labels = { 'kubernetes.io/service-name': `service-${number}` };
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `service-${number}-x`, namespace, labels },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1'] }, { addresses: ['10.0.0.2'] }],
    ports: [{ port: 8080 }],
  };
}

const many = <T>(count: number, make: (number: number) => T) =>
  Array.from({ length: count }, (_, number) => make(number));

const nothing: Resources = {
  routes: [],
  upstreams: [],
  gateways: [],
  services: [],
  endpointSlices: [],
  secrets: [],
  namespaces: [],
  referenceGrants: [],
  policies: [],
  consumers: [],
  discoveries: [],
};
const plain = { ...nothing, services: many(500, service), endpointSlices: many(500, slice) };
const granted = {
  ...plain,
  gateways: [selecting],
  namespaces: many(200, team),
  referenceGrants: many(200, grant),
};

/** Milliseconds. The quickest of many says what it costs; the others say how busy the machine is. */
const quickest = (times: number[]) => Math.min(...times);

// It takes about 6 ms on two busy cores; the bound is what users are promised.
it.each([
  ['', plain, route],
  [' with a backend of another namespace and a selector of its own', granted, farRoute],
])('compiles one changed Route among 5,000%s in under 20 ms', (_, others, make) => {
  const compile = createCompiler();
  let routes = many(5000, (number) => make(number));
  let before = compile({ ...others, routes });
  const times = many(30, (turn) => {
    routes = routes.with(turn * 150, make(turn * 150, `/changed/${turn}`));
    const start = performance.now();
    const after = compile({ ...others, routes });
    const took = performance.now() - start;
    expect(after.configVersion).not.toBe(before.configVersion);
    expect(after.config.size).toBe(before.config.size);
    before = after;
    return took;
  });
  expect(quickest(times)).toBeLessThan(20);
});

const routesIn = ({ config }: Compiled) =>
  [...config.values()].filter(({ kind }) => kind === Kind.ROUTE).length;

it('compiles one changed label among 200 namespaces with 5,000 Routes in under 30 ms', () => {
  const compile = createCompiler();
  const routes = many(5000, (number) => farRoute(number));
  let { namespaces } = granted;
  let before = compile({ ...granted, routes });
  const times = many(20, (turn) => {
    const shown = team(turn * 2 + 1);
    namespaces = namespaces.with(turn * 2 + 1, {
      ...shown,
      metadata: { ...shown.metadata, labels: { exposed: 'true' } },
    });
    const start = performance.now();
    const after = compile({ ...granted, namespaces, routes });
    const took = performance.now() - start;
    expect(routesIn(after)).toBe(routesIn(before) + 25);
    before = after;
    return took;
  });
  expect(quickest(times)).toBeLessThan(30);
});

/** Rules of every type of match; each has a backend, every tenth one that does not exist. */
function largeRoute(turn: number): RouteObject {
  const types = ['Exact', 'Prefix', 'Template', 'Regex'] as const;
  const ends = { Exact: '', Prefix: '', Template: '/{id}', Regex: '/[a-z]+' };
  const rules = many(1000, (number) => {
    const type = types[number % types.length] ?? 'Exact';
    const service = number % 10 === 0 ? 'missing' : `service-${number % 500}`;
    return {
      name: `rule-${number}`,
      matches: [
        {
          path: { type, value: `/${turn === number ? 'changed' : 'api'}/${number}${ends[type]}` },
          headers: [{ name: 'x-tenant', value: `tenant-${number}` }],
        },
      ],
      backends: [{ name: service, port: 80 }],
    };
  });
  return { ...route(0), spec: { rules } };
}

// It takes about 30 ms.
it('compiles a Route with 1,000 rules in under 250 ms, and its status fits', () => {
  const compile = createCompiler();
  const times = many(5, (turn) => {
    const routes = [largeRoute(turn)];
    const start = performance.now();
    const { config, statuses } = compile({ ...plain, routes });
    const took = performance.now() - start;
    expect(config.has(keyOf(Kind.ROUTE, 'shop/route-0'))).toBe(true);
    const broken = statuses[0]?.conditions.find(({ type }) => type === 'ResolvedRefs')?.message;
    expect(broken).toContain('spec.rules[990].backends[0]: Service "shop/missing" does not exist');
    expect(broken?.length).toBeLessThan(32_768);
    return took;
  });
  expect(quickest(times)).toBeLessThan(250);
});
