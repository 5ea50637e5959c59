import { create, fromBinary } from '@bufbuild/protobuf';
import {
  emptySet,
  FromDataPlaneSchema,
  hex,
  type Resource,
  type ResourceSet,
  RouteSchema,
} from '@gatehouse/snapshot';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fleet } from './fleet.ts';
import { endpoints, route, setOf, snapshotOf } from './testing/fixtures.ts';
import { type Judge, modelDataPlane, settle } from './testing/model.ts';

const contentOf = ({ body }: Resource) => Number(fromBinary(RouteSchema, body).created);
/** Refuses Routes by their content. */
const judgeBy =
  (refuses: (content: number) => boolean): Judge =>
  (resource) =>
    resource.kind === 2 && refuses(contentOf(resource)) ? { path: '', reason: 'no' } : undefined;

const sets = fc
  .dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 1, max: 6 }))
  .map((contents) => setOf(...Object.entries(contents).map(([name, n]) => route(name, n))));
const lanes = fc
  .dictionary(fc.constantFrom('u', 'v', 'w'), fc.integer({ min: 1, max: 3 }))
  .map((ports) => setOf(...Object.entries(ports).map(([name, port]) => endpoints(name, port))));

const who = fc.nat({ max: 1 });
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('publish' as const), sets, lanes }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('step' as const), who }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('connect' as const), who }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), who }) },
    // An update that is on its way when the stream is lost.
    { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), who }) },
    // An answer that is overtaken by a change.
    { weight: 2, arbitrary: fc.record({ do: fc.constant('late' as const), who, sets, lanes }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('resend' as const), who }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  ),
  { maxLength: 40 },
);
type Step = typeof steps extends fc.Arbitrary<infer S extends unknown[]> ? S[number] : never;

/** Plays the steps, connects everybody and lets the fleet settle. */
function play(all: Step[], judges: [Judge, Judge]) {
  let config: ResourceSet = emptySet;
  let ends: ResourceSet = emptySet;
  let fleet = new Fleet(() => undefined);
  let dps = judges.map((judge, i) => modelDataPlane(fleet, `dp-${i}`, judge));
  const restart = () => {
    fleet = new Fleet(() => undefined);
    fleet.publish(snapshotOf(config, ends));
    dps = dps.map((dp, i) =>
      modelDataPlane(fleet, `dp-${i}`, judges[i], dp.config(), dp.endpoints()),
    );
  };
  for (const step of all) {
    if (step.do === 'restart') {
      restart();
    } else if (step.do === 'publish') {
      config = step.sets;
      ends = step.lanes;
      fleet.publish(snapshotOf(config, ends));
    } else if (step.do === 'late') {
      const dp = dps[step.who]!;
      const update = dp.take();
      const before = snapshotOf(config, ends);
      fleet.publish(snapshotOf(step.sets, step.lanes));
      if (update) dp.answer(update);
      fleet.publish(before);
    } else {
      const dp = dps[step.who]!;
      if (step.do === 'step') dp.step();
      if (step.do === 'connect') dp.connect();
      if (step.do === 'drop') dp.drop();
      if (step.do === 'lose') {
        dp.take();
        dp.drop();
      }
      const session = dp.session();
      if (step.do === 'resend' && session) {
        const message = { case: 'nack' as const, value: { lane: 1, version: '-', resend: true } };
        fleet.answer(session, create(FromDataPlaneSchema, { message }).message);
      }
    }
  }
  fleet.publish(snapshotOf(config, ends));
  for (const dp of dps) if (!dp.session()) dp.connect();
  settle(dps);
  return { fleet, dps, config, ends };
}

const contents = (set: ResourceSet) => new Map([...set].map(([key, r]) => [key, hex(r.hash)]));

test('any sequence of changes, drops, losses and restarts ends with the compiled set', () => {
  const all: Judge = () => undefined;
  fc.assert(
    fc.property(steps, (sequence) => {
      const { fleet, dps, config, ends } = play(sequence, [all, all]);
      for (const dp of dps) {
        expect(contents(dp.config())).toEqual(contents(config));
        expect(contents(dp.endpoints())).toEqual(contents(ends));
      }
      for (const view of fleet.view().dataPlanes) {
        expect(view.config.version).toBe(snapshotOf(config).configVersion);
      }
    }),
    { numRuns: 300 },
  );
});

test('what nobody refuses is everywhere; what somebody refuses is nowhere', () => {
  const judges: [Judge, Judge] = [judgeBy((n) => n === 2), judgeBy((n) => n === 2 || n === 3)];
  fc.assert(
    fc.property(steps, (sequence) => {
      const { fleet, dps, config } = play(sequence, judges);
      const { heldBack } = fleet.view();
      for (const dp of dps) {
        for (const [key, resource] of config) {
          const held = dp.config().get(key);
          if (contentOf(resource) > 3 || contentOf(resource) === 1) {
            expect(held && hex(held.hash)).toBe(hex(resource.hash));
          } else {
            expect(heldBack.has(key)).toBe(true);
            expect(held && [2, 3].includes(contentOf(held))).not.toBe(true);
          }
        }
        for (const key of dp.config().keys()) expect(config.has(key)).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

test('a resource in use never goes because its next version is refused', () => {
  const same = judgeBy((n) => n % 2 === 0);
  fc.assert(
    fc.property(steps, (sequence) => {
      // "a" exists in every compile and its first version is good everywhere.
      const first = { do: 'publish' as const, sets: setOf(route('a', 1)), lanes: emptySet };
      const connected = [0, 1].flatMap((n) => [
        { do: 'connect' as const, who: n },
        { do: 'step' as const, who: n },
        { do: 'step' as const, who: n },
      ]);
      // Sending a whole lane again ends with what the controller has bodies of.
      const rest = sequence.filter((step) => step.do !== 'resend');
      const kept = rest.map((step) =>
        step.do === 'publish' || step.do === 'late'
          ? { ...step, sets: new Map([...setOf(route('a', 2)), ...step.sets]) }
          : step,
      );
      const { dps } = play([first, ...connected, ...kept], [same, same]);
      for (const dp of dps)
        expect([...dp.config().values()].map(({ name }) => name)).toContain('a');
    }),
    { numRuns: 300 },
  );
});
