import { create } from '@bufbuild/protobuf';
import {
  FromDataPlaneSchema,
  Kind,
  keyOf,
  Lane,
  manifestOf,
  type Resource,
  resourceOf,
  SecretSchema,
} from '@gatehouse/snapshot';
import { describe, expect, test } from 'vitest';
import { Fleet } from './fleet.ts';
import { endpoints, route, setOf, snapshotOf, upstream } from './testing/fixtures.ts';
import { modelDataPlane, settle } from './testing/model.ts';

const secret = (name: string, content: string): Resource => {
  const data = { 'tls.crt': Buffer.from(content) };
  return resourceOf(Kind.SECRET, name, SecretSchema, create(SecretSchema, { data }));
};
const a = secret('shop/a', 'good');
const b = secret('shop/b', 'good');
const keyA = keyOf(Kind.SECRET, 'shop/a');
const fleetOf = () => new Fleet(() => undefined);
/** What is compiled once Secret shop/a is lost; the Route stands for the listener that says so. */
const lost = { ...snapshotOf(setOf(route('r', 2), b)), keep: new Set([keyA]) };
const whole = snapshotOf(setOf(route('r', 1), a, b));

/** A data plane that serves Secret shop/a, and a controller that has just started without it. */
function afterRestart() {
  const first = fleetOf();
  first.publish(whole);
  const before = modelDataPlane(first, 'dp');
  before.connect();
  settle([before]);
  const fleet = fleetOf();
  fleet.publish(lost);
  const dp = modelDataPlane(fleet, 'dp', undefined, before.config());
  dp.connect();
  settle([dp]);
  return { fleet, dp };
}

describe('a Secret that is lost', () => {
  test('stays where it is held, and everything else goes on', () => {
    const fleet = fleetOf();
    const dp = modelDataPlane(fleet, 'dp');
    dp.connect();
    fleet.publish(whole);
    settle([dp]);
    fleet.publish(lost);
    settle([dp]);
    expect(manifestOf(dp.config())).toEqual(manifestOf(setOf(route('r', 2), a, b)));
    fleet.publish({ ...snapshotOf(setOf(route('r', 3))), keep: new Set([keyA]) });
    settle([dp]);
    expect(manifestOf(dp.config())).toEqual(manifestOf(setOf(route('r', 3), a)));
  });

  test('stays when a controller starts that never saw it, and costs nothing from then on', () => {
    const { fleet, dp } = afterRestart();
    expect(manifestOf(dp.config())).toEqual(manifestOf(setOf(route('r', 2), a, b)));
    const { length } = dp.received;
    fleet.publish(lost);
    settle([dp]);
    expect(dp.received).toHaveLength(length);
    expect(fleet.view().dataPlanes[0]?.config.refused).toBeUndefined();
  });

  test('stays when the data plane asks for everything again', () => {
    const { fleet, dp } = afterRestart();
    const value = { lane: Lane.CONFIG, version: '', refusals: [], resend: true };
    const message = { case: 'nack' as const, value };
    fleet.answer(dp.session()!, create(FromDataPlaneSchema, { message }).message);
    settle([dp]);
    const last = dp.received.at(-1);
    expect([last?.full, last?.put.map(({ name }) => name)]).toEqual([true, ['r', 'shop/b']]);
    expect(last?.keep.map(({ name }) => name)).toEqual(['shop/a']);
    expect(manifestOf(dp.config())).toEqual(manifestOf(setOf(route('r', 2), a, b)));
  });

  test('is nothing to a data plane that never had it', () => {
    const { fleet } = afterRestart();
    const other = modelDataPlane(fleet, 'other');
    other.connect();
    settle([other]);
    expect(manifestOf(other.config())).toEqual(manifestOf(lost.config));
  });

  test('gives way to its new content, and goes when nobody refers to it any more', () => {
    const { fleet, dp } = afterRestart();
    const renewed = setOf(route('r', 2), secret('shop/a', 'new'), b);
    fleet.publish(snapshotOf(renewed));
    settle([dp]);
    expect(manifestOf(dp.config())).toEqual(manifestOf(renewed));
    fleet.publish(lost);
    settle([dp]);
    expect(manifestOf(dp.config())).toEqual(manifestOf(setOf(...renewed.values())));
    fleet.publish(snapshotOf(setOf(route('r', 4))));
    settle([dp]);
    expect(manifestOf(dp.config())).toEqual(manifestOf(setOf(route('r', 4))));
  });

  test('does not make other resources stay that went', () => {
    const fleet = fleetOf();
    const dp = modelDataPlane(fleet, 'dp');
    dp.connect();
    fleet.publish(snapshotOf(setOf(route('r', 1), upstream('u', 1), a, b)));
    settle([dp]);
    fleet.publish({ ...snapshotOf(setOf(route('r', 2))), keep: new Set([keyA]) });
    settle([dp]);
    expect(manifestOf(dp.config())).toEqual(manifestOf(setOf(route('r', 2), a)));
  });
});

describe('endpoints of which nothing is known yet', () => {
  const config = setOf(upstream('u', 1), upstream('v', 1));
  const u = endpoints('u', 1);
  const unknown = {
    ...snapshotOf(config, setOf(endpoints('v', 2))),
    keep: new Set([keyOf(Kind.ENDPOINTS, 'u')]),
  };

  /** A data plane that has endpoints of both, and a controller that has just started. */
  function afterRestart() {
    const fleet = fleetOf();
    fleet.publish(unknown);
    const held = setOf(u, endpoints('v', 1));
    const dp = modelDataPlane(fleet, 'dp', undefined, config, held);
    dp.connect();
    settle([dp]);
    return { fleet, dp };
  }

  test('stay where they are held, while others change', () => {
    const { fleet, dp } = afterRestart();
    expect(manifestOf(dp.endpoints())).toEqual(manifestOf(setOf(u, endpoints('v', 2))));
    fleet.publish({ ...unknown, ...snapshotOf(config, setOf(endpoints('v', 3))) });
    settle([dp]);
    expect(manifestOf(dp.endpoints())).toEqual(manifestOf(setOf(u, endpoints('v', 3))));
  });

  test('give way to the first list, an empty one too', () => {
    const { fleet, dp } = afterRestart();
    const known = setOf(endpoints('u', 7), endpoints('v', 2));
    fleet.publish(snapshotOf(config, known));
    settle([dp]);
    expect(manifestOf(dp.endpoints())).toEqual(manifestOf(known));
  });

  test('go with their Upstream, although the list of what is known is the same', () => {
    const { fleet, dp } = afterRestart();
    const without = snapshotOf(setOf(upstream('v', 1)), setOf(endpoints('v', 2)));
    expect(without.endpointsVersion).toBe(unknown.endpointsVersion);
    fleet.publish(without);
    settle([dp]);
    expect(manifestOf(dp.endpoints())).toEqual(manifestOf(without.endpoints));
  });
});
