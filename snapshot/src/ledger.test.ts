import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  emptySet,
  type Key,
  Kind,
  keyOf,
  ledgerOf,
  type Resource,
  RouteSchema,
  resourceOf,
  versionOf,
} from './index.ts';

const route = (name: string, created: number) =>
  resourceOf(Kind.ROUTE, name, RouteSchema, create(RouteSchema, { created: BigInt(created) }));
const names = Array.from({ length: 60 }, (_, n) => `route-${n}`);

/** Some resources put, some removed, whether they are there or not. */
const change = fc.record({
  put: fc.dictionary(fc.constantFrom(...names, 'ä', '9 a'), fc.nat(3), { maxKeys: 4 }),
  remove: fc.array(fc.constantFrom(...names), { maxLength: 4 }),
});

test('a ledger tells the version of whatever follows, few or many changes at a time', () => {
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 20 }), fc.boolean(), (all, many) => {
      let held: ReadonlyMap<Key, Resource> = many
        ? new Map(names.map((name) => [keyOf(Kind.ROUTE, name), route(name, 0)]))
        : emptySet;
      let ledger = ledgerOf(held);
      expect(ledger.version).toBe(versionOf(held));
      for (const { put, remove } of all) {
        const resources = Object.entries(put).map(([name, content]) => route(name, content));
        const keys = remove.map((name) => keyOf(Kind.ROUTE, name));
        const next = new Map(held);
        for (const key of keys) next.delete(key);
        for (const resource of resources) next.set(keyOf(resource.kind, resource.name), resource);
        const before = ledger.version;
        const after = ledger.after(held, { put: resources, remove: keys });
        expect(after.version).toBe(versionOf(next));
        // It may be asked again: an update that is refused is followed by another.
        expect(ledger.version).toBe(before);
        [held, ledger] = [next, after];
      }
    }),
  );
});
