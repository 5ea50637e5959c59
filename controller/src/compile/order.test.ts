import type { AnyObject } from '@gatehouse/crds';
import { hex, type ResourceSet } from '@gatehouse/snapshot';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goldenNames, goldenObjects, resourcesOf } from './golden-case.ts';
import { makePems } from './golden-pems.ts';
import { type Compiled, compile, createCompiler } from './index.ts';

const pems = await makePems();

/** Every object of every golden file; of those with one name any may be drawn. */
const corpus = goldenNames().flatMap((name) => goldenObjects(name, pems));

const identity = ({ kind, metadata }: AnyObject) =>
  `${kind} ${metadata.namespace}/${metadata.name}`;

const state = fc
  .shuffledSubarray(corpus)
  .map((objects) => [...new Map(objects.map((object) => [identity(object), object])).values()]);

const bytes = (set: ResourceSet) =>
  [...set].map(([key, { hash, body }]) => [key, hex(hash), hex(body)].join(' '));

const everything = ({ config, endpoints, ...rest }: Compiled) => ({
  config: bytes(config),
  endpoints: bytes(endpoints),
  ...rest,
});

describe('compile', () => {
  it('gives the same bytes and statuses whatever the order of the resources', () => {
    const shuffled = state.chain((objects) =>
      fc.tuple(
        fc.constant(objects),
        fc.shuffledSubarray(objects, { minLength: objects.length, maxLength: objects.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([objects, others]) => {
        expect(everything(compile(resourcesOf(others)))).toEqual(
          everything(compile(resourcesOf(objects))),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('gives the same bytes and statuses whatever it compiled before', () => {
    fc.assert(
      fc.property(fc.array(state, { maxLength: 4 }), state, (history, last) => {
        const compileNext = createCompiler();
        for (const objects of history) compileNext(resourcesOf(objects));
        const resources = resourcesOf(last);
        expect(everything(compileNext(resources))).toEqual(everything(compile(resources)));
        expect(everything(compileNext(resources))).toEqual(everything(compile(resources)));
      }),
      { numRuns: 40 },
    );
  });

  it('does not change its input', () => {
    fc.assert(
      fc.property(state, (objects) => {
        const before = structuredClone(objects);
        compile(resourcesOf(objects));
        expect(objects).toEqual(before);
      }),
      { numRuns: 20 },
    );
  });
});
