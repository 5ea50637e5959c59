import type { GatewayObject, RouteObject, SecretObject, UpstreamObject } from '@gatehouse/crds';
import { type Key, Kind, keyOf, type ResourceSet } from '@gatehouse/snapshot';
import { attachPoint, byGateway } from './attach.ts';
import { type CheckedSecret, checkSecret } from './certificates.ts';
import {
  type CheckedGateway,
  checkGateway,
  defaultListener,
  foundSecrets,
  type SecretLookup,
} from './gateway.ts';
import { gatewayStatus } from './gateway-status.ts';
import { permissions, type Referred } from './grants.ts';
import { joinLane, type Keyed, keyed } from './keyed.ts';
import { judgeListeners } from './listeners.ts';
import { createMemo, createSame, type Memo } from './memo.ts';
import { namespacesOf, selections } from './namespaces.ts';
import { createPolicyCompiler } from './policies/policies.ts';
import { type Reach, reached } from './reach.ts';
import type { Backend, Lookup } from './refs.ts';
import { byId, idOf, namespaceOf, type Resources, sortedBy } from './resources.ts';
import { type CheckedRoute, checkRoute, type LinkedRoute, linkRoute } from './route.ts';
import type { ObjectStatus } from './status.ts';
import { type CheckedUpstream, checkUpstream } from './upstream.ts';
import {
  endpointsResource,
  slicesByService,
  upstreamResource,
  upstreamStatus,
} from './upstream-resources.ts';
import { noSecrets, secretsOfTls, type UpstreamSecrets, upstreamSecrets } from './upstream-tls.ts';

export type Compiled = {
  /** Listeners, Secrets, Policies, Upstreams and Routes. */
  config: ResourceSet;
  endpoints: ResourceSet;
  /**
   * Secrets of served listeners and of Upstreams in use that cannot be made now, because they are missing or not sound, and
   * Endpoints of which nothing is known yet: what is held of them is to stay, wherever it is held.
   */
  keep: ReadonlySet<Key>;
  /** Versions of the two lanes, see versionOf. */
  configVersion: string;
  endpointsVersion: string;
  /** Some limit is shared among data planes: they are to know how many they are. */
  shares: boolean;
  /** Of every Gateway, Route, Upstream, policy and Consumer, by kind, namespace and name. */
  statuses: ObjectStatus[];
};

/** Compiles once. Pure: the same resources in any order give the same bytes. */
export function compile(resources: Resources): Compiled {
  return createCompiler()(resources);
}

/**
 * A compiler that keeps what it made of unchanged objects. The result does not depend on what it
 * compiled before; what did not change is the very same object as in the result before.
 */
export function createCompiler(): (resources: Resources) => Compiled {
  const memos = {
    secrets: createMemo<SecretObject, CheckedSecret>(),
    gateways: createMemo<GatewayObject, CheckedGateway>(),
    checkedUpstreams: createMemo<UpstreamObject, CheckedUpstream>(),
    upstreamSecrets: createMemo<UpstreamObject, UpstreamSecrets>(),
    checkedRoutes: createMemo<RouteObject, CheckedRoute>(),
    routes: createMemo<CheckedRoute, LinkedRoute>(),
    upstreams: createMemo<string, Keyed>(),
    endpoints: createMemo<string, Keyed>(),
  };
  const pointsOf = createSame(byGateway);
  const compilePolicies = createPolicyCompiler();

  return (resources) => {
    const secrets = byId(resources.secrets);
    const namespaces = namespacesOf(resources.namespaces);
    const reach: Reach = {
      permits: permissions(resources.referenceGrants),
      isAbsent: namespaces.isAbsent,
    };
    const secretOf: SecretLookup = (from, to) => {
      const found = reached(from, to, secrets, reach);
      if (typeof found === 'string') return found;
      return memos.secrets.get(found, [], () => checkSecret(found));
    };
    const gateways = sortedBy(resources.gateways, idOf).map((gateway) =>
      memos.gateways.get(gateway, foundSecrets(gateway, secretOf), () =>
        checkGateway(gateway, secretOf),
      ),
    );
    const listeners = judgeListeners(
      gateways.length > 0 ? gateways.flatMap((gateway) => gateway.listeners) : [defaultListener()],
    );
    const points = pointsOf(listeners.map(attachPoint));
    const selectedIn = selections(points, namespaces);

    const services = byId(resources.services);
    const upstreams = new Map(
      sortedBy(resources.upstreams, idOf).map((object) => [
        idOf(object),
        memos.checkedUpstreams.get(object, [], () => checkUpstream(object)),
      ]),
    );
    const ownSecrets = new Map(
      [...upstreams].map(([id, { object }]) => [
        id,
        secretsOf(object, secrets, reach, memos.upstreamSecrets),
      ]),
    );
    const lookup: Lookup = (ref) =>
      ref.kind === 'Service'
        ? reached(ref.from, ref, services, reach)
        : reached(ref.from, ref, upstreams, reach);
    const routes = resources.routes.map((object) =>
      memos.checkedRoutes.get(object, [], () => checkRoute(object)),
    );
    const linked = sortedBy(routes, ({ id }) => id).map((route) => {
      const selected = selectedIn(namespaceOf(route.object));
      const dependencies: unknown[] = [points, selected.text];
      for (const ref of route.refs) dependencies.push(lookup(ref));
      return memos.routes.get(route, dependencies, () =>
        linkRoute(route, points, selected, lookup),
      );
    });

    const backends = new Map<string, Backend>();
    const attached = new Map<string, number>();
    for (const route of linked) {
      for (const backend of route.backends) backends.set(backend.upstream, backend);
      for (const id of route.listeners) attached.set(id, (attached.get(id) ?? 0) + 1);
    }
    const slices = slicesByService(resources.endpointSlices);
    const used = sortedBy(backends.values(), ({ upstream }) => upstream);
    const usedSecrets = used.map(
      (backend) =>
        (backend.kind === 'Upstream' && ownSecrets.get(idOf(backend.checked.object))) || noSecrets,
    );
    const served = listeners.filter((listener) => listener.served);
    const policies = compilePolicies({
      policies: resources.policies,
      consumers: resources.consumers,
      secrets,
      points,
      routes: linked.map((route) => ({ linked: route, rules: route.ruleNames })),
    });
    const config = joinLane([
      ...served.map(({ resource }) => keyed(resource)),
      ...sortedBy(
        [
          ...served.flatMap(({ secrets: own }) => own),
          ...policies.secrets,
          ...usedSecrets.flatMap(({ resources: own }) => own),
        ].map(keyed),
        ({ key }) => key,
      ),
      ...policies.resources,
      ...used.map((backend, i) =>
        upstreamResource(backend, usedSecrets[i] ?? noSecrets, memos.upstreams),
      ),
      ...linked.flatMap((route) => route.served ?? []),
    ]);
    const discoveries = byId(resources.discoveries);
    const lists = used.map((backend) =>
      endpointsResource(backend, slices, discoveries, lookup, memos.endpoints),
    );
    const endpoints = joinLane(lists.filter((list) => list !== undefined));
    const statuses = [
      ...gateways.map((gateway) =>
        gatewayStatus(
          gateway,
          listeners.filter((listener) => listener.gateway === idOf(gateway.object)),
          attached,
        ),
      ),
      ...linked.map(({ status }) => status),
      ...[...upstreams].map(([id, upstream]) =>
        upstreamStatus(upstream, {
          lookup,
          discoveries,
          secrets,
          own: ownSecrets.get(id) ?? noSecrets,
          used: backends.has(`upstream/${id}`),
        }),
      ),
      ...policies.statuses,
    ];
    for (const memo of Object.values(memos)) memo.endRun();
    return {
      config: config.set,
      endpoints: endpoints.set,
      keep: new Set([
        ...[...served, ...usedSecrets].flatMap(({ lost }) =>
          lost.map((name) => keyOf(Kind.SECRET, name)),
        ),
        ...used
          .filter((_, i) => lists[i] === undefined)
          .map(({ upstream }) => keyOf(Kind.ENDPOINTS, upstream)),
      ]),
      configVersion: config.version,
      endpointsVersion: endpoints.version,
      shares: policies.shares,
      statuses,
    };
  };
}

/** The Secrets by which an Upstream connects. */
function secretsOf(
  object: UpstreamObject,
  secrets: ReadonlyMap<string, SecretObject>,
  reach: Reach,
  memo: Memo<UpstreamObject, UpstreamSecrets>,
): UpstreamSecrets {
  const { tls } = object.spec;
  if (!tls) return noSecrets;
  const from = { kind: 'Upstream', namespace: namespaceOf(object) } as const;
  const lookup = (to: Referred) => reached(from, to, secrets, reach);
  return memo.get(object, secretsOfTls(tls, from.namespace).map(lookup), () =>
    upstreamSecrets(tls, from, lookup, checkSecret),
  );
}
