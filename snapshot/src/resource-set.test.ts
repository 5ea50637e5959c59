import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  applyUpdate,
  BrokenUpdate,
  difference,
  EndpointsSchema,
  emptySet,
  hashOf,
  type Key,
  Kind,
  keyOf,
  Lane,
  laneOf,
  manifestOf,
  type Resource,
  ResourceKeySchema,
  type ResourceSet,
  RouteSchema,
  resourceOf,
  splitKey,
  UpdateSchema,
  versionOf,
  versionOfManifest,
} from './index.ts';

const route = (name: string, created: number) =>
  resourceOf(Kind.ROUTE, name, RouteSchema, create(RouteSchema, { created: BigInt(created) }));

const setOf = (...resources: Resource[]): ResourceSet =>
  new Map(resources.map((resource) => [keyOf(resource.kind, resource.name), resource]));

/** Small names and contents, so that sets overlap. */
const sets = fc
  .dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.integer({ min: 1, max: 3 }))
  .map((contents) => setOf(...Object.entries(contents).map(([name, n]) => route(name, n))));

const updateBetween = (held: ResourceSet, target: ResourceSet, full = false) => {
  const { put, remove } = full
    ? { put: [...target.values()], remove: [] }
    : difference(manifestOf(held), target);
  const keys = remove.map(splitKey);
  return create(UpdateSchema, {
    lane: Lane.CONFIG,
    version: versionOf(target),
    full,
    put,
    remove: keys,
  });
};

describe('keys', () => {
  test('join and split', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        expect(splitKey(keyOf(Kind.UPSTREAM, name))).toEqual({ kind: Kind.UPSTREAM, name });
      }),
    );
  });

  test.each([
    [Kind.LISTENER, Lane.CONFIG],
    [Kind.ROUTE, Lane.CONFIG],
    [Kind.UPSTREAM, Lane.CONFIG],
    [Kind.SECRET, Lane.CONFIG],
    [Kind.ENDPOINTS, Lane.ENDPOINTS],
  ])('kind %i travels on lane %i', (kind, lane) => expect(laneOf(kind)).toBe(lane));
});

describe('hashes', () => {
  test('differ by kind, name and body', () => {
    const body = new Uint8Array([1, 2]);
    const hashes = [
      hashOf(Kind.ROUTE, 'a', body),
      hashOf(Kind.SECRET, 'a', body),
      hashOf(Kind.ROUTE, 'b', body),
      hashOf(Kind.ROUTE, 'a', new Uint8Array([1])),
      // The boundary between name and body is part of the hash.
      hashOf(Kind.ROUTE, 'a\n', body),
      hashOf(Kind.ROUTE, 'a', new Uint8Array([10, 1, 2])),
    ].map(String);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test('the version does not depend on order', () => {
    fc.assert(
      fc.property(sets, (set) => {
        expect(versionOf(new Map([...set].reverse()))).toBe(versionOf(set));
      }),
    );
  });

  test('the version depends on every key and hash', () => {
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        const same = a.size === b.size && difference(manifestOf(a), b).put.length === 0;
        expect(versionOf(a) === versionOf(b)).toBe(same);
      }),
    );
  });

  test('a line break in a name cannot imitate two resources', () => {
    const two = new Map<Key, string>([
      ['2:a', 'aa'],
      ['2:b', 'bb'],
    ]);
    const one = new Map<Key, string>([['2:a aa\n3 2:b', 'bb']]);
    expect(versionOfManifest(one)).not.toBe(versionOfManifest(two));
  });
});

describe('applyUpdate', () => {
  test('any sequence of deltas equals the full state', () => {
    fc.assert(
      fc.property(fc.array(sets, { minLength: 1 }), (targets) => {
        let held = emptySet;
        for (const target of targets) held = applyUpdate(held, updateBetween(held, target));
        const full = applyUpdate(emptySet, updateBetween(emptySet, targets.at(-1)!, true));
        expect(manifestOf(held)).toEqual(manifestOf(full));
        expect(versionOf(held)).toBe(versionOf(full));
      }),
    );
  });

  test('a full update replaces whatever was held', () => {
    fc.assert(
      fc.property(sets, sets, (held, target) => {
        const next = applyUpdate(held, updateBetween(held, target, true));
        expect(manifestOf(next)).toEqual(manifestOf(target));
      }),
    );
  });

  test('a full update keeps what it names, if that is held', () => {
    fc.assert(
      fc.property(sets, sets, (held, target) => {
        const kept = [...held].filter(([key]) => !target.has(key));
        const update = updateBetween(held, target, true);
        update.keep = kept.map(([key]) => create(ResourceKeySchema, splitKey(key)));
        update.version = versionOf(new Map([...target, ...kept]));
        expect(versionOf(applyUpdate(held, update))).toBe(update.version);
        if (kept.length > 0) expect(() => applyUpdate(emptySet, update)).toThrow(BrokenUpdate);
      }),
    );
  });

  test('equal sets differ by nothing', () => {
    fc.assert(
      fc.property(sets, (set) => {
        expect(difference(manifestOf(set), set)).toEqual({ put: [], remove: [] });
      }),
    );
  });

  test('one altered byte is refused and the held set stays', () => {
    const held = setOf(route('a', 1));
    const before = manifestOf(held);
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const update = updateBetween(held, setOf(route('a', 77_777), route('b', 2)));
        const body = new Uint8Array(update.put[0]!.body);
        body[at % body.length]! ^= flip;
        update.put[0] = { ...update.put[0]!, body };
        expect(() => applyUpdate(held, update)).toThrow(BrokenUpdate);
        expect(manifestOf(held)).toEqual(before);
      }),
    );
  });

  test.each([
    ['a truncated body', (u: { put: Resource[] }) => (u.put[0]!.body = u.put[0]!.body.slice(1))],
    ['a lost resource', (u: { put: Resource[] }) => u.put.pop()],
    ['another name', (u: { put: Resource[] }) => (u.put[0]!.name = 'z')],
    ['another version', (u: { version: string }) => (u.version = versionOf(emptySet))],
  ])('%s is refused', (_, spoil) => {
    const update = updateBetween(emptySet, setOf(route('a', 1)));
    spoil(update);
    expect(() => applyUpdate(emptySet, update)).toThrow(BrokenUpdate);
  });

  test('a resource on the wrong lane is refused', () => {
    const endpoints = resourceOf(Kind.ENDPOINTS, 'a', EndpointsSchema, create(EndpointsSchema));
    const update = updateBetween(emptySet, setOf(endpoints));
    expect(() => applyUpdate(emptySet, update)).toThrow('other lane');
  });
});
