import { create, fromBinary } from '@bufbuild/protobuf';
import { Kind, keyOf, PolicySchema, type Resource, resourceOf } from '@gatehouse/snapshot';
import { expect, test } from 'vitest';
import { Fleet } from './fleet.ts';
import { setOf, snapshotOf } from './testing/fixtures.ts';
import { type Judge, modelDataPlane, settle } from './testing/model.ts';

const name = 'AuthPolicy/shop/web/http';
const key = keyOf(Kind.POLICY, name);

function policy(reads: string, failsClosed = true): Resource {
  const rules = [{ block: 'authentication', name: 'users', config: reads }];
  const content = { kind: 'AuthPolicy', rules, guardedHeaders: ['x-user-id'], failsClosed };
  return resourceOf(Kind.POLICY, name, PolicySchema, create(PolicySchema, content));
}

/** Takes what is broken, and rules that say "good". */
const judge: Judge = ({ body, kind }) => {
  if (kind !== Kind.POLICY) return undefined;
  const { rules } = fromBinary(PolicySchema, body);
  const bad = rules.some(({ config }) => config !== 'good');
  return bad ? { path: 'authentication[users]', reason: 'not known' } : undefined;
};

function fleetWithOne() {
  const fleet = new Fleet(() => undefined);
  const dataPlane = modelDataPlane(fleet, 'dp', judge);
  dataPlane.connect();
  return { fleet, dataPlane };
}

test('a policy that is refused and was never accepted is sent closed', () => {
  const { fleet, dataPlane } = fleetWithOne();
  fleet.publish(snapshotOf(setOf(policy('bad'))));
  settle([dataPlane]);
  const held = dataPlane.config().get(key);
  expect(held && fromBinary(PolicySchema, held.body)).toMatchObject({
    kind: 'AuthPolicy',
    broken: 'a data plane refuses it',
    rules: [],
    guardedHeaders: ['x-user-id'],
  });
  expect(fleet.view().heldBack.get(key)).toEqual([
    { node: 'dp', path: 'authentication[users]', reason: 'not known' },
  ]);
});

test('a policy that may be left out is', () => {
  const { fleet, dataPlane } = fleetWithOne();
  fleet.publish(snapshotOf(setOf(policy('bad', false))));
  settle([dataPlane]);
  expect(dataPlane.config().size).toBe(0);
});

test('a policy that was accepted stays as it was when its next version is refused', () => {
  const { fleet, dataPlane } = fleetWithOne();
  fleet.publish(snapshotOf(setOf(policy('good'))));
  settle([dataPlane]);
  fleet.publish(snapshotOf(setOf(policy('bad'))));
  settle([dataPlane]);
  expect(dataPlane.config().get(key)).toMatchObject({ hash: policy('good').hash });
});

test('a sound version takes the place of the closed one', () => {
  const { fleet, dataPlane } = fleetWithOne();
  fleet.publish(snapshotOf(setOf(policy('bad'))));
  settle([dataPlane]);
  fleet.publish(snapshotOf(setOf(policy('good'))));
  settle([dataPlane]);
  expect(dataPlane.config().get(key)).toMatchObject({ hash: policy('good').hash });
  expect(fleet.view().heldBack.size).toBe(0);
});

test('what does not work at run time is told by resource, the last list counts', () => {
  let changes = 0;
  const fleet = new Fleet(() => changes++);
  const stream = { wake: () => undefined, end: () => undefined };
  const hello = { node: 'dp', zone: '', release: '', held: [] };
  const session = fleet.open(hello as never, stream);
  const before = changes;
  const problems = [{ kind: Kind.POLICY, name, path: 'jwt.issuers[0].jwks.url', reason: 'HTML' }];
  fleet.answer(session, { case: 'health', value: { problems } as never });
  expect(fleet.view().troubles).toEqual(
    new Map([[key, [{ node: 'dp', path: 'jwt.issuers[0].jwks.url', reason: 'HTML' }]]]),
  );
  fleet.answer(session, { case: 'health', value: { problems: [] } as never });
  expect(fleet.view().troubles.size).toBe(0);
  expect(changes).toBe(before + 2);
});
