import { Lane } from '@gatehouse/snapshot';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Fleet } from './fleet.ts';
import { createReplicas, type Replicas } from './replicas.ts';
import { endpoints, route, setOf, snapshotOf } from './testing/fixtures.ts';
import { modelDataPlane, settle } from './testing/model.ts';

describe('how many data planes there are', () => {
  let told: number[];
  let replicas: Replicas;
  beforeEach(() => {
    vi.useFakeTimers();
    told = [];
    replicas = createReplicas((number) => told.push(number));
  });
  afterEach(() => {
    replicas.close();
    vi.useRealTimers();
  });

  it('is told at once when it grows, and ten seconds later when it shrinks', () => {
    for (const now of [1, 2, 3]) replicas.count(now);
    expect(told).toEqual([1, 2, 3]);
    replicas.count(2);
    vi.advanceTimersByTime(9_000);
    expect(told).toEqual([1, 2, 3]);
    vi.advanceTimersByTime(1_100);
    expect(told).toEqual([1, 2, 3, 2]);
  });

  it('does not change for a moment', () => {
    replicas.count(4);
    replicas.count(3);
    vi.advanceTimersByTime(5_000);
    replicas.count(4);
    vi.advanceTimersByTime(60_000);
    expect(told).toEqual([4]);
  });

  it('is what data planes were told before, until they had time to come back', () => {
    replicas.claim(4);
    for (const now of [1, 2]) replicas.count(now);
    expect(told).toEqual([4]);
    vi.advanceTimersByTime(10_100);
    expect(told).toEqual([4, 2]);
  });

  it('is never 0', () => {
    replicas.count(1);
    replicas.count(0);
    vi.advanceTimersByTime(60_000);
    expect(told).toEqual([1]);
  });
});

describe('what data planes are told of it', () => {
  const set = setOf(route('a', 1));

  it('comes with the first update, and by itself where a limit is shared', () => {
    const fleet = new Fleet(() => undefined);
    const dp = modelDataPlane(fleet, 'dp');
    fleet.publish({ ...snapshotOf(set, setOf(endpoints('u', 80))), shares: true });
    fleet.count(1);
    dp.connect();
    settle([dp]);
    expect(dp.received.map((update) => update.replicas)).toEqual([1, 1]);
    dp.received.length = 0;
    fleet.count(3);
    settle([dp]);
    expect(dp.received).toMatchObject([
      { lane: Lane.ENDPOINTS, full: false, put: [], remove: [], replicas: 3 },
    ]);
    settle([dp]);
    expect(dp.received).toHaveLength(1);
    fleet.shutDown();
  });

  it('waits for other news where none is', () => {
    const fleet = new Fleet(() => undefined);
    const dp = modelDataPlane(fleet, 'dp');
    fleet.publish(snapshotOf(set));
    dp.connect();
    settle([dp]);
    dp.received.length = 0;
    fleet.count(2);
    settle([dp]);
    expect(dp.received).toEqual([]);
    fleet.publish(snapshotOf(setOf(route('a', 2))));
    settle([dp]);
    expect(dp.received.map((update) => update.replicas)).toEqual([2]);
    fleet.shutDown();
  });
});
