import { create } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import {
  emptySet,
  FromDataPlaneSchema,
  Kind,
  keyOf,
  Lane,
  manifestOf,
  type Resource,
} from '@gatehouse/snapshot';
import { describe, expect, test } from 'vitest';
import { Fleet } from './fleet.ts';
import { endpoints, route, setOf, snapshotOf, upstream } from './testing/fixtures.ts';
import { type Judge, modelDataPlane, settle } from './testing/model.ts';

const fleetOf = () => new Fleet(() => undefined);
const refuses =
  (...bad: Resource[]): Judge =>
  (resource) =>
    bad.some(({ hash }) => String(hash) === String(resource.hash))
      ? { path: 'rules[0]', reason: 'no' }
      : undefined;
const names = (resources: Resource[]) => resources.map(({ name }) => name);

describe('what is sent', () => {
  test('nothing before the first compile', () => {
    const dp = modelDataPlane(fleetOf(), 'dp');
    dp.connect();
    expect(dp.take()).toBeUndefined();
  });

  test('an empty snapshot is told, too', () => {
    const fleet = fleetOf();
    const dp = modelDataPlane(fleet, 'dp');
    fleet.publish(snapshotOf(emptySet));
    dp.connect();
    settle([dp]);
    expect(dp.received.map(({ lane }) => lane)).toEqual([Lane.ENDPOINTS, Lane.CONFIG]);
  });

  test('endpoints before config, then only what differs', () => {
    const fleet = fleetOf();
    const dp = modelDataPlane(fleet, 'dp');
    dp.connect();
    fleet.publish(snapshotOf(setOf(route('a', 1), upstream('u', 1)), setOf(endpoints('u', 80))));
    settle([dp]);
    fleet.publish(snapshotOf(setOf(route('b', 1), upstream('u', 1)), setOf(endpoints('u', 81))));
    settle([dp]);
    expect(
      dp.received.map(({ lane, full, put, remove }) => [lane, full, names(put), remove.length]),
    ).toEqual([
      [Lane.ENDPOINTS, true, ['u'], 0],
      [Lane.CONFIG, true, ['a', 'u'], 0],
      [Lane.ENDPOINTS, false, ['u'], 0],
      [Lane.CONFIG, false, ['b'], 1],
    ]);
  });

  test('whoever holds everything is told that it is current, with nothing in it', () => {
    const fleet = fleetOf();
    const dp = modelDataPlane(fleet, 'dp');
    fleet.publish(snapshotOf(setOf(route('a', 1)), setOf(endpoints('u', 80))));
    dp.connect();
    settle([dp]);
    dp.received.length = 0;
    dp.connect();
    settle([dp]);
    expect(dp.received.map(({ full, put, remove }) => [full, put.length, remove.length])).toEqual([
      [false, 0, 0],
      [false, 0, 0],
    ]);
  });

  test('changes during an unanswered update become one update', () => {
    const fleet = fleetOf();
    const dp = modelDataPlane(fleet, 'dp');
    dp.connect();
    fleet.publish(snapshotOf(setOf(route('a', 1))));
    dp.step();
    const first = dp.take()!;
    for (let n = 2; n <= 100; n++) fleet.publish(snapshotOf(setOf(route('a', n))));
    expect(dp.take()).toBeUndefined();
    dp.answer(first);
    settle([dp]);
    expect(dp.received.filter(({ lane }) => lane === Lane.CONFIG)).toHaveLength(2);
    expect(manifestOf(dp.config())).toEqual(manifestOf(setOf(route('a', 100))));
  });

  test('endpoints of an upstream that goes stay until the config without it is in use', () => {
    const fleet = fleetOf();
    const dp = modelDataPlane(fleet, 'dp');
    dp.connect();
    const old = snapshotOf(setOf(route('a', 1), upstream('u', 1)), setOf(endpoints('u', 80)));
    fleet.publish(old);
    settle([dp]);
    dp.received.length = 0;
    fleet.publish(snapshotOf(setOf(route('a', 2), upstream('v', 1)), setOf(endpoints('v', 80))));
    settle([dp]);
    expect(
      dp.received.map(({ lane, put, remove }) => [
        lane,
        names(put),
        remove.map(({ name }) => name),
      ]),
    ).toEqual([
      [Lane.ENDPOINTS, ['v'], []],
      [Lane.CONFIG, ['a', 'v'], ['u']],
      [Lane.ENDPOINTS, [], ['u']],
    ]);
  });

  test('resend is the whole lane', () => {
    const fleet = fleetOf();
    const dp = modelDataPlane(fleet, 'dp');
    dp.connect();
    fleet.publish(snapshotOf(setOf(route('a', 1), route('b', 1))));
    settle([dp]);
    const message = {
      case: 'nack' as const,
      value: { lane: Lane.CONFIG, version: '', resend: true },
    };
    expect(fleet.answer(dp.session()!, create(FromDataPlaneSchema, { message }).message)).toBe(
      'resent',
    );
    const update = dp.take()!;
    expect([update.full, names(update.put)]).toEqual([true, ['a', 'b']]);
  });

  test('a full update that breaks cuts the stream', () => {
    const fleet = fleetOf();
    const dp = modelDataPlane(fleet, 'dp');
    dp.connect();
    fleet.publish(snapshotOf(setOf(route('a', 1))));
    const { lane, version } = dp.take()!;
    const message = { case: 'nack' as const, value: { lane, version, resend: true } };
    expect(fleet.answer(dp.session()!, create(FromDataPlaneSchema, { message }).message)).toBe(
      'broken',
    );
    expect(dp.ended()?.code).toBe(Code.DataLoss);
  });

  test('an update above 64 MiB is not sent but reported', () => {
    const fleet = fleetOf();
    const dp = modelDataPlane(fleet, 'dp');
    const huge = { ...route('a', 1), body: new Uint8Array(65 * 1024 * 1024) };
    fleet.publish(snapshotOf(setOf(huge)));
    dp.connect();
    settle([dp]);
    expect(fleet.view().dataPlanes[0]?.config.refused?.reason).toContain(
      '66 MiB is above the limit',
    );
  });
});

describe('of two data planes with one name', () => {
  test('the newer stays', () => {
    const fleet = fleetOf();
    const [older, newer] = [modelDataPlane(fleet, 'dp'), modelDataPlane(fleet, 'dp')];
    older.connect();
    newer.connect();
    expect(older.ended()?.code).toBe(Code.Aborted);
    expect(newer.ended()).toBeUndefined();
    expect(fleet.view().dataPlanes).toHaveLength(1);
  });
});

describe('a refused resource', () => {
  const bad = route('a', 13);
  const stage = (judge: Judge, count = 1) => {
    const fleet = fleetOf();
    const dps = Array.from({ length: count }, (_, i) => modelDataPlane(fleet, `dp-${i}`, judge));
    for (const dp of dps) dp.connect();
    return { fleet, dps, dp: dps[0]! };
  };

  test('is left out when no version of it was accepted; the rest goes out', () => {
    const { fleet, dp } = stage(refuses(bad));
    fleet.publish(snapshotOf(setOf(bad, route('b', 1))));
    settle([dp]);
    expect(manifestOf(dp.config())).toEqual(manifestOf(setOf(route('b', 1))));
    expect(fleet.view().heldBack).toEqual(
      new Map([[keyOf(Kind.ROUTE, 'a'), [{ node: 'dp-0', path: 'rules[0]', reason: 'no' }]]]),
    );
  });

  test('stays at the version that was accepted last; the rest goes out', () => {
    const { fleet, dps } = stage(refuses(bad), 3);
    fleet.publish(snapshotOf(setOf(route('a', 1), route('b', 1))));
    settle(dps);
    fleet.publish(snapshotOf(setOf(bad, route('b', 2))));
    settle(dps);
    for (const dp of dps) {
      expect(manifestOf(dp.config())).toEqual(manifestOf(setOf(route('a', 1), route('b', 2))));
    }
  });

  test('is sent again when it changes, and the hold ends', () => {
    const { fleet, dp } = stage(refuses(bad));
    fleet.publish(snapshotOf(setOf(route('a', 1))));
    settle([dp]);
    fleet.publish(snapshotOf(setOf(bad)));
    settle([dp]);
    fleet.publish(snapshotOf(setOf(route('a', 14))));
    settle([dp]);
    expect(manifestOf(dp.config())).toEqual(manifestOf(setOf(route('a', 14))));
    expect(fleet.view().heldBack.size).toBe(0);
  });

  test('that is removed is removed', () => {
    const { fleet, dp } = stage(refuses(bad));
    fleet.publish(snapshotOf(setOf(route('a', 1))));
    settle([dp]);
    fleet.publish(snapshotOf(setOf(bad)));
    settle([dp]);
    fleet.publish(snapshotOf(emptySet));
    settle([dp]);
    expect(dp.config().size).toBe(0);
  });

  test('is not sent to a data plane that comes later', () => {
    const { fleet, dp } = stage(refuses(bad));
    fleet.publish(snapshotOf(setOf(route('a', 1), route('b', 1))));
    settle([dp]);
    fleet.publish(snapshotOf(setOf(bad, route('b', 1))));
    settle([dp]);
    const late = modelDataPlane(fleet, 'late', refuses(bad));
    late.connect();
    settle([late]);
    expect(manifestOf(late.config())).toEqual(manifestOf(setOf(route('a', 1), route('b', 1))));
    expect(fleet.view().nacks).toBe(1);
  });

  test('falls back further when one data plane took it and another did not', () => {
    const fleet = fleetOf();
    const first = modelDataPlane(fleet, 'first');
    const second = modelDataPlane(fleet, 'second', refuses(bad));
    first.connect();
    fleet.publish(snapshotOf(setOf(route('a', 1))));
    settle([first]);
    fleet.publish(snapshotOf(setOf(bad)));
    settle([first]);
    second.connect();
    settle([first, second]);
    for (const dp of [first, second]) {
      expect(manifestOf(dp.config())).toEqual(manifestOf(setOf(route('a', 1))));
    }
  });

  test('keeps what the data plane has after a restart of the controller', () => {
    const restarted = fleetOf();
    const held = setOf(route('a', 1), route('b', 1));
    const dp = modelDataPlane(restarted, 'dp', refuses(bad), held);
    restarted.publish(snapshotOf(setOf(bad, route('b', 2))));
    dp.connect();
    settle([dp]);
    expect(manifestOf(dp.config())).toEqual(manifestOf(setOf(route('a', 1), route('b', 2))));
  });

  test('falls back to what a data plane confirmed after a restart of the controller', () => {
    const restarted = fleetOf();
    const dp = modelDataPlane(restarted, 'dp', refuses(bad), setOf(route('a', 1)));
    restarted.publish(snapshotOf(setOf(route('a', 1))));
    dp.connect();
    settle([dp]);
    restarted.publish(snapshotOf(setOf(bad)));
    settle([dp]);
    const late = modelDataPlane(restarted, 'late');
    late.connect();
    settle([late]);
    expect(manifestOf(late.config())).toEqual(manifestOf(setOf(route('a', 1))));
  });

  test('is sent again when its removal and return overtake the answer', () => {
    const { fleet, dp } = stage(refuses(bad));
    const both = snapshotOf(setOf(bad, route('b', 1)));
    fleet.publish(both);
    dp.step();
    const update = dp.take()!;
    fleet.publish(snapshotOf(emptySet));
    dp.answer(update);
    fleet.publish(both);
    settle([dp]);
    expect(manifestOf(dp.config())).toEqual(manifestOf(setOf(route('b', 1))));
    expect(fleet.view().heldBack.size).toBe(1);
  });

  test('keeps the upstream that its old version needs', () => {
    const { fleet, dp } = stage(refuses(bad));
    fleet.publish(snapshotOf(setOf(route('a', 1), upstream('u', 1)), setOf(endpoints('u', 80))));
    settle([dp]);
    fleet.publish(snapshotOf(setOf(bad, upstream('v', 1)), setOf(endpoints('v', 80))));
    settle([dp]);
    expect(manifestOf(dp.config())).toEqual(
      manifestOf(setOf(route('a', 1), upstream('u', 1), upstream('v', 1))),
    );
    expect(manifestOf(dp.endpoints())).toEqual(
      manifestOf(setOf(endpoints('u', 80), endpoints('v', 80))),
    );
    fleet.publish(snapshotOf(setOf(route('a', 2), upstream('v', 1)), setOf(endpoints('v', 80))));
    settle([dp]);
    expect(manifestOf(dp.config())).toEqual(manifestOf(setOf(route('a', 2), upstream('v', 1))));
    expect(manifestOf(dp.endpoints())).toEqual(manifestOf(setOf(endpoints('v', 80))));
  });
});

describe('an update that is refused as a whole', () => {
  test('is not sent again until something changes, and is reported', () => {
    const fleet = fleetOf();
    const dp = modelDataPlane(fleet, 'dp');
    dp.connect();
    fleet.publish(snapshotOf(setOf(route('a', 1))));
    dp.step();
    const { lane, version } = dp.take()!;
    const message = { case: 'nack' as const, value: { lane, version } };
    fleet.answer(dp.session()!, create(FromDataPlaneSchema, { message }).message);
    expect(dp.take()).toBeUndefined();
    expect(fleet.view().dataPlanes[0]?.config.refused).toEqual({
      version,
      reason: 'no reason was given',
    });
    fleet.publish(snapshotOf(setOf(route('a', 2))));
    settle([dp]);
    expect(fleet.view().dataPlanes[0]?.config.refused).toBeUndefined();
  });

  test('so is one that names a resource which was not in it', () => {
    const fleet = fleetOf();
    const dp = modelDataPlane(fleet, 'dp');
    dp.connect();
    fleet.publish(snapshotOf(setOf(route('a', 1))));
    dp.step();
    const { lane, version } = dp.take()!;
    const refusals = [{ kind: Kind.ROUTE, name: 'z', path: '', reason: 'unknown' }];
    const message = { case: 'nack' as const, value: { lane, version, refusals } };
    fleet.answer(dp.session()!, create(FromDataPlaneSchema, { message }).message);
    expect(dp.take()).toBeUndefined();
    expect(fleet.view().dataPlanes[0]?.config.refused?.reason).toBe('z: unknown');
  });

  test('an answer to another version changes nothing', () => {
    const fleet = fleetOf();
    const dp = modelDataPlane(fleet, 'dp');
    dp.connect();
    fleet.publish(snapshotOf(setOf(route('a', 1))));
    dp.take();
    const message = { case: 'ack' as const, value: { lane: Lane.ENDPOINTS, version: 'other' } };
    expect(fleet.answer(dp.session()!, create(FromDataPlaneSchema, { message }).message)).toBe(
      'ignored',
    );
    expect(dp.session()!.isWaiting(Lane.ENDPOINTS)).toBe(true);
  });
});
