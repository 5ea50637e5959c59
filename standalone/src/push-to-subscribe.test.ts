import { create } from '@bufbuild/protobuf';
import { createCertificates, Fleet, listen, sharedToken } from '@gatehouse/controller/push';
import { subscribe } from '@gatehouse/dataplane/subscribe';
import {
  EndpointsSchema,
  emptySet,
  Kind,
  keyOf,
  Lane,
  manifestOf,
  type Resource,
  type ResourceSet,
  RouteSchema,
  resourceOf,
  versionOf,
} from '@gatehouse/snapshot';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';

const token = 'a-token-of-the-fleet';
const certificates = await createCertificates(['127.0.0.1']);
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});
function opens<T extends { close(): Promise<void> }>(one: T): T {
  opened.push(one);
  return one;
}

const route = (name: string, created: number) =>
  resourceOf(Kind.ROUTE, name, RouteSchema, create(RouteSchema, { created: BigInt(created) }));
const ends = (name: string, port: number) => {
  const endpoints = [{ address: '10.0.0.1', port }];
  return resourceOf(Kind.ENDPOINTS, name, EndpointsSchema, create(EndpointsSchema, { endpoints }));
};
const setOf = (...resources: Resource[]): ResourceSet =>
  new Map(resources.map((resource) => [keyOf(resource.kind, resource.name), resource]));
const snapshotOf = (config: ResourceSet, endpoints: ResourceSet = emptySet) => ({
  config,
  configVersion: versionOf(config),
  endpoints,
  endpointsVersion: versionOf(endpoints),
});

/** The controller's side, which can be stopped and started again on its port. */
async function controller(port = 0) {
  const fleet = new Fleet(() => undefined);
  const server = await listen({
    fleet,
    host: '127.0.0.1',
    port,
    ...certificates,
    authenticate: sharedToken(token),
    log: pino({ level: 'silent' }),
  });
  return opens({ fleet, port: server.port, close: () => server.close() });
}

type Judge = (resource: Resource) => boolean;

/** The data plane's side; `inUse` is what it serves. */
function dataPlane(port: number, node: string, refuses: Judge = () => false) {
  const inUse: Record<number, ResourceSet> = {};
  const applied: Lane[] = [];
  const replicas: number[] = [];
  const gate = { open: Promise.resolve() };
  const subscription = subscribe({
    url: `https://127.0.0.1:${port}`,
    ca: certificates.ca,
    token,
    node,
    zone: '',
    release: 'test',
    backOff: { first: 1, most: 5 },
    onReplicas: (number) => replicas.push(number),
    async apply(lane, next) {
      await gate.open;
      const refused = [...next.values()].filter(refuses);
      if (refused.length > 0) {
        const reasons = { path: 'rules[0]', reason: 'no' };
        return {
          ok: false,
          refusals: refused.map(({ kind, name }) => ({ kind, name, ...reasons })),
        };
      }
      inUse[lane] = next;
      applied.push(lane);
      return { ok: true };
    },
  });
  return opens({
    ...subscription,
    applied,
    replicas,
    gate,
    config: () => manifestOf(inUse[Lane.CONFIG] ?? emptySet),
    endpoints: () => manifestOf(inUse[Lane.ENDPOINTS] ?? emptySet),
  });
}

const soon = (check: () => void) => vi.waitFor(check, { interval: 2, timeout: 5000 });

describe('controller and data plane', () => {
  test('agree on how many share a limit, after a controller has begun anew as well', async () => {
    const snapshot = { ...snapshotOf(setOf(route('a', 1))), shares: true };
    const first = await controller();
    first.fleet.publish(snapshot);
    first.fleet.count(3);
    const plane = dataPlane(first.port, 'dp-1');
    await soon(() => expect(plane.replicas).toEqual([3]));
    first.fleet.count(4);
    await soon(() => expect(plane.replicas).toEqual([3, 4]));
    await first.close();
    const second = await controller(first.port);
    second.fleet.publish(snapshot);
    second.fleet.count(1);
    await soon(() => expect(plane.state().current).toBe(true));
    second.fleet.count(5);
    await soon(() => expect(plane.replicas).toEqual([3, 4, 5]));
  });

  test('agree after any sequence of changes, lost streams and refusals', async () => {
    const { fleet, port } = await controller();
    // Content 3 is refused by all.
    const bad = setOf(...['a', 'b', 'c'].map((name) => route(name, 3)));
    const refuses: Judge = ({ kind, name, hash }) =>
      kind === Kind.ROUTE && String(bad.get(keyOf(kind, name))?.hash) === String(hash);
    const planes = [dataPlane(port, 'dp-1', refuses), dataPlane(port, 'dp-2', refuses)];
    const contents = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 4 }));
    const step = fc.record({
      routes: contents,
      ports: contents,
      cut: fc.option(fc.constantFrom(0, 1), { nil: undefined }),
      rest: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        let config = emptySet;
        let endpoints = emptySet;
        for (const { routes, ports, cut, rest } of steps) {
          config = setOf(...Object.entries(routes).map(([name, n]) => route(name, n)));
          endpoints = setOf(...Object.entries(ports).map(([name, n]) => ends(name, n)));
          fleet.publish(snapshotOf(config, endpoints));
          if (cut !== undefined) fleet.cut(`dp-${cut + 1}`);
          if (rest) await new Promise(setImmediate);
        }
        const good = new Map([...config].filter(([, resource]) => !refuses(resource)));
        await soon(() => {
          for (const plane of planes) {
            const held = plane.config();
            for (const [key, hash] of manifestOf(good)) expect(held.get(key)).toBe(hash);
            for (const key of held.keys()) expect(config.has(key)).toBe(true);
            expect(plane.endpoints()).toEqual(manifestOf(endpoints));
          }
          const seen = fleet.view().dataPlanes.map(({ config }) => config.manifest);
          expect(seen).toEqual(planes.map((plane) => plane.config()));
        });
      }),
      { numRuns: 60 },
    );
  });

  test('resume after a restart of the controller, with nothing sent again', async () => {
    const first = await controller();
    const all = setOf(...Array.from({ length: 200 }, (_, n) => route(`r-${n}`, n)));
    first.fleet.publish(snapshotOf(all));
    const plane = dataPlane(first.port, 'dp');
    await soon(() => expect(plane.state().current).toBe(true));
    const { length } = plane.applied;
    await first.close();
    await soon(() => expect(plane.state().connected).toBe(false));
    const second = await controller(first.port);
    second.fleet.publish(snapshotOf(all));
    await soon(() => expect(plane.state().current).toBe(true));
    expect(plane.applied).toHaveLength(length);
    expect(second.fleet.view().dataPlanes[0]?.config.version).toBe(versionOf(all));
  });

  test('skip what became outdated while an update was applied', async () => {
    const { fleet, port } = await controller();
    fleet.publish(snapshotOf(setOf(route('a', 0))));
    const plane = dataPlane(port, 'dp');
    await soon(() => expect(plane.state().current).toBe(true));
    const { length } = plane.applied;
    const slow = Promise.withResolvers<void>();
    plane.gate.open = slow.promise;
    for (let n = 1; n <= 100; n++) {
      fleet.publish(snapshotOf(setOf(route('a', n))));
      await new Promise(setImmediate);
    }
    slow.resolve();
    await soon(() => expect(plane.config()).toEqual(manifestOf(setOf(route('a', 100)))));
    expect(plane.applied.length - length).toBeLessThanOrEqual(2);
  });

  test('resync applies everything again', async () => {
    const { fleet, port } = await controller();
    fleet.publish(snapshotOf(setOf(route('a', 1)), setOf(ends('u', 80))));
    const plane = dataPlane(port, 'dp');
    await soon(() => expect(plane.state().current).toBe(true));
    await plane.resync();
    expect(plane.applied).toEqual([Lane.ENDPOINTS, Lane.CONFIG, Lane.ENDPOINTS, Lane.CONFIG]);
  });

  test('never meet when the token is wrong', async () => {
    const { fleet, port } = await controller();
    fleet.publish(snapshotOf(setOf(route('a', 1))));
    const stranger = opens(
      subscribe({
        url: `https://127.0.0.1:${port}`,
        ca: certificates.ca,
        token: 'another-token-of-it',
        node: 'dp',
        zone: '',
        release: 'test',
        backOff: { first: 1, most: 5 },
        apply: async () => ({ ok: true }),
      }),
    );
    await soon(() => expect(stranger.state().lastError).toMatch('a valid bearer token is needed'));
    expect(stranger.state().connected).toBe(false);
    expect(fleet.view().dataPlanes).toEqual([]);
  });
});
