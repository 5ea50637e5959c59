import type { AnyObject } from '@gatehouse/crds';
import { type Key, Kind, keyOf, type ResourceSet } from '@gatehouse/snapshot';
import { describe, expect, it } from 'vitest';
import { goldenObjects, resourcesOf } from './golden-case.ts';
import { makePems } from './golden-pems.ts';
import { type Compiled, compile, createCompiler } from './index.ts';

const pems = await makePems();

type Named<K extends AnyObject['kind']> = Extract<AnyObject, { kind: K }>;

/** A copy of the objects in which one of them went through `edit`. */
function edited<K extends AnyObject['kind']>(
  objects: AnyObject[],
  kind: K,
  name: string,
  edit: (object: Named<K>) => void,
): AnyObject[] {
  return objects.map((object) => {
    if (object.kind !== kind || object.metadata.name !== name) return object;
    const copy = structuredClone(object) as Named<K>;
    edit(copy);
    return copy;
  });
}

const keysOf = (set: ResourceSet) => [...set.keys()];

/** Keys whose resource is not the very same object in both results. */
function changed(before: Compiled, after: Compiled): Key[] {
  const both = [before, after].map(({ config, endpoints }) => new Map([...config, ...endpoints]));
  const [a, b] = both;
  if (!a || !b) return [];
  return [...new Set([...a.keys(), ...b.keys()])].filter((key) => a.get(key) !== b.get(key));
}

const shop = [
  ...goldenObjects('weighted-backends', pems),
  ...goldenObjects('upstreams', pems).filter(({ kind }) => kind !== 'Service' && kind !== 'Route'),
  ...goldenObjects('certificates', pems),
  ...goldenObjects('mirrors', pems).flatMap((object) =>
    object.kind === 'Route' ? [{ ...object, metadata: { ...object.metadata, name: 'other' } }] : [],
  ),
];

const route = keyOf(Kind.ROUTE, 'shop/web');

const cases: [string, AnyObject[], Key[]][] = [
  ['nothing', shop.map((object) => object), []],
  [
    'the action of a rule',
    edited(shop, 'Route', 'web', ({ spec }) => {
      spec.rules[0]!.backends![0]!.weight = 7;
    }),
    [route],
  ],
  [
    'a rule in front of the others',
    edited(shop, 'Route', 'web', ({ spec }) => {
      spec.rules.unshift({ name: 'first', respond: { status: 200 } });
    }),
    [route],
  ],
  [
    'a backend that nobody else uses',
    edited(shop, 'Route', 'web', ({ spec }) => {
      spec.rules[0]!.backends!.splice(1, 1);
    }),
    [
      route,
      keyOf(Kind.UPSTREAM, 'service/shop/orders/81'),
      keyOf(Kind.ENDPOINTS, 'service/shop/orders/81'),
    ],
  ],
  [
    'the endpoints of a Service',
    edited(shop, 'EndpointSlice', 'users-1', (slice) => {
      slice.endpoints.push({ addresses: ['10.0.0.77'] });
    }),
    [keyOf(Kind.ENDPOINTS, 'service/shop/users/80')],
  ],
  [
    'settings of an Upstream',
    edited(shop, 'Upstream', 'legacy', ({ spec }) => {
      spec.connectTimeout = '1s';
    }),
    [keyOf(Kind.UPSTREAM, 'upstream/shop/legacy')],
  ],
  [
    'labels of a Service',
    edited(shop, 'Service', 'users', ({ metadata }) => {
      metadata.labels = { team: 'users' };
    }),
    [],
  ],
  [
    'another port of a Service',
    edited(shop, 'Service', 'orders', ({ spec }) => {
      spec!.ports!.push({ name: 'more', port: 9000 });
    }),
    [],
  ],
  [
    'a certificate',
    edited(shop, 'Secret', 'a', (secret) => {
      secret.stringData = { 'tls.crt': pems['b.crt']!, 'tls.key': pems['b.key']! };
    }),
    [keyOf(Kind.SECRET, 'shop/a')],
  ],
  [
    'a Secret that goes while it is in use',
    shop.filter(({ kind, metadata }) => kind !== 'Secret' || metadata.name !== 'a'),
    [keyOf(Kind.LISTENER, 'shop/gw/https'), keyOf(Kind.SECRET, 'shop/a')],
  ],
  [
    'hints of endpoints',
    edited(shop, 'EndpointSlice', 'users-1', ({ endpoints }) => {
      endpoints[0]!.hints = { forZones: [{ name: 'a' }] };
    }),
    [keyOf(Kind.ENDPOINTS, 'service/shop/users/80')],
  ],
];

/** References that leave their namespace. */
const town = [
  ...goldenObjects('reference-grants', pems),
  ...goldenObjects('gateways-by-selector', pems),
  ...goldenObjects('namespaces-gone', pems).filter(({ kind }) => kind === 'Namespace'),
  ...goldenObjects('reference-grants-for-certificates', pems).map((object) =>
    object.kind === 'Gateway'
      ? { ...object, metadata: { ...object.metadata, name: 'tls' } }
      : object,
  ),
];

const townCases: [string, AnyObject[], Key[]][] = [
  [
    'labels of a namespace that selectors ask for',
    edited(town, 'Namespace', 'team-b', ({ metadata }) => {
      metadata.labels = { team: 'a' };
    }),
    [keyOf(Kind.ROUTE, 'team-b/b')],
  ],
  [
    'labels of a namespace that no selector asks for',
    edited(town, 'Namespace', 'team-a', ({ metadata }) => {
      metadata.labels = { ...metadata.labels, more: 'x' };
    }),
    [],
  ],
  [
    'a namespace that goes',
    town.filter(({ kind, metadata }) => kind !== 'Namespace' || metadata.name !== 'bare'),
    [keyOf(Kind.ROUTE, 'bare/bare')],
  ],
  [
    'a grant that goes',
    town.filter(({ metadata }) => metadata.name !== 'one-upstream'),
    [
      keyOf(Kind.ROUTE, 'shop/web'),
      keyOf(Kind.UPSTREAM, 'upstream/people/legacy'),
      keyOf(Kind.ENDPOINTS, 'upstream/people/legacy'),
    ],
  ],
  [
    'a grant that lets an Upstream go to another namespace',
    edited(town, 'ReferenceGrant', 'all-services', ({ spec }) => {
      spec.from = spec.from.filter(({ kind }) => kind !== 'Upstream');
    }),
    [keyOf(Kind.ENDPOINTS, 'upstream/shop/tuned')],
  ],
  [
    'a grant of a certificate',
    edited(town, 'ReferenceGrant', 'certificates', ({ spec }) => {
      spec.to = spec.to.filter(({ name }) => name !== 'a');
    }),
    [
      keyOf(Kind.LISTENER, 'infra/tls/granted'),
      keyOf(Kind.LISTENER, 'infra/tls/partly'),
      keyOf(Kind.SECRET, 'shop/a'),
    ],
  ],
];

describe('a change', () => {
  it.each([
    ...cases.map(([name, objects, keys]) => [name, shop, objects, keys] as const),
    ...townCases.map(([name, objects, keys]) => [name, town, objects, keys] as const),
  ])('of %s touches only what comes from it', (_, first, objects, expected) => {
    const compileNext = createCompiler();
    const before = compileNext(resourcesOf(first));
    const after = compileNext(resourcesOf(objects));
    const differs = (key: Key) =>
      Buffer.compare(
        (before.config.get(key) ?? before.endpoints.get(key))?.hash ?? Buffer.alloc(0),
        (after.config.get(key) ?? after.endpoints.get(key))?.hash ?? Buffer.alloc(0),
      ) !== 0;
    expect(changed(before, after).filter(differs).sort()).toEqual([...expected].sort());
    expect(after).toEqual(compile(resourcesOf(objects)));
  });

  it('keeps every other resource and status the very same object', () => {
    const compileNext = createCompiler();
    const before = compileNext(resourcesOf(shop));
    const objects = edited(shop, 'Route', 'web', ({ spec }) => {
      spec.hostnames = ['shop.example.com'];
    });
    const after = compileNext(resourcesOf(objects));
    expect(changed(before, after)).toEqual([route]);
    const other = ({ statuses }: Compiled) => statuses.find(({ name }) => name === 'other');
    expect(other(after)).toBe(other(before));
  });

  it.each([
    'rules-in-any-order',
    'hostnames',
    'parent-refs',
    'upstreams',
    'endpoints-of-many-slices',
  ])('of the order of rules, hostnames, parents and endpoints in "%s" changes no byte', (name) => {
    const objects = goldenObjects(name, pems);
    const reversed = structuredClone(objects);
    for (const object of reversed) {
      if (object.kind === 'EndpointSlice') object.endpoints.reverse();
      if (object.kind === 'Upstream') object.spec.endpoints.static?.reverse();
      if (object.kind !== 'Route') continue;
      object.spec.rules.reverse();
      object.spec.hostnames?.reverse();
      object.spec.parentRefs?.reverse();
    }
    const [before, after] = [objects, reversed].map((list) => compile(resourcesOf(list)));
    expect(after?.config).toEqual(before?.config);
    expect(after?.endpoints).toEqual(before?.endpoints);
  });

  it('of endpoints leaves the version of the config lane alone', () => {
    const objects = shop.filter(({ kind }) => kind !== 'EndpointSlice');
    const [before, after] = [shop, objects].map((list) => compile(resourcesOf(list)));
    expect(after?.configVersion).toBe(before?.configVersion);
    expect(after?.endpointsVersion).not.toBe(before?.endpointsVersion);
    expect(keysOf(after!.endpoints)).toEqual(keysOf(before!.endpoints));
  });
});
