import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTimerWheel, type TimerWheel } from '../state/timer-wheel.ts';
import type { Algorithm } from './balancing/balancer.ts';
import { leastRequest } from './balancing/least-request.ts';
import { maglev } from './balancing/maglev.ts';
import { random } from './balancing/random.ts';
import { ringHash } from './balancing/ring-hash.ts';
import { roundRobin } from './balancing/round-robin.ts';
import { ConnectionQuota } from './connection-quota.ts';
import { Endpoint } from './endpoint.ts';
import { EndpointPool } from './endpoint-pool.ts';
import { Selection, type SelectionSettings } from './selection.ts';

const pool = {
  connectTimeout: 1000,
  maxIdle: 4,
  idleTimeout: 1000,
  maxConnections: 0,
  maxLifetime: 0,
};
const picks = 4000;
let wheel: TimerWheel;
let time = 0;
beforeEach(() => {
  wheel = createTimerWheel();
  time = 100_000;
});
afterEach(() => wheel.close());

/** Endpoints by zone: 'aab' are two in zone a and one in zone b. In capitals: out of service. */
function endpointsIn(zones: string, weight = 1): Endpoint[] {
  return [...zones].map((zone, i) => {
    const id = `10.0.0.${i + 1} 80`;
    const group = {
      wheel,
      quota: new ConnectionQuota(),
      onRoom: () => undefined,
      onInsecure: () => undefined,
    };
    const connections = new EndpointPool(`10.0.0.${i + 1}`, 80, pool, group);
    const endpoint = new Endpoint(id, connections, Number.NEGATIVE_INFINITY);
    endpoint.weight = weight;
    endpoint.hintedZones = [zone.toLowerCase()];
    endpoint.available = zone === zone.toLowerCase();
    return endpoint;
  });
}

function selectionOf(endpoints: Endpoint[], more: Partial<SelectionSettings> = {}, zone = 'a') {
  const settings = {
    algorithm: roundRobin,
    slowStart: undefined,
    panicPercent: 50,
    anyZone: false,
    ...more,
  };
  return new Selection(endpoints, zone, settings, () => time);
}

/** Percent of the requests that each endpoint gets, in their order. */
function shares(selection: Selection, endpoints: Endpoint[]): number[] {
  const counts = endpoints.map(() => 0);
  for (let i = 0; i < picks; i++) {
    const picked = selection.pick(Math.imul(i, 0x9e3779b1));
    const index = picked ? endpoints.indexOf(picked) : -1;
    if (index >= 0) counts[index]!++;
  }
  return counts.map((count) => Math.round((100 * count) / picks));
}

/** Where chance or a hash decides, within so many percent. */
function expectAbout(found: number[], expected: number[], within = 5) {
  found.forEach((share, i) => {
    const error = Math.abs(share - (expected[i] ?? 0));
    expect(error, `${found} is not about ${expected}`).toBeLessThanOrEqual(
      expected[i] === 0 ? 0 : within,
    );
  });
}

describe('endpoints out of service', () => {
  it.each<[string, string, Partial<SelectionSettings>, number[]]>([
    ['get nothing', 'aaAa', {}, [33, 33, 0, 33]],
    ['as long as half of them are in service', 'aAaA', {}, [50, 0, 50, 0]],
    ['below half, all are used', 'aAAA', {}, [25, 25, 25, 25]],
    ['all out of service: all are used', 'AAAA', {}, [25, 25, 25, 25]],
    ['below another threshold', 'aaAA', { panicPercent: 51 }, [25, 25, 25, 25]],
    ['with a threshold of 0: never', 'aAAA', { panicPercent: 0 }, [100, 0, 0, 0]],
    ['with a threshold of 0 and nobody left: nobody', 'AA', { panicPercent: 0 }, [0, 0]],
    // Of a zone whose others are well enough, none is spilled over.
    ['the rest of the zone goes on by itself', 'aaaAbb', {}, [33, 33, 33, 0, 0, 0]],
    ['too few in the zone: the rest goes to others', 'aAbb', {}, [71, 0, 14, 14]],
    ['none in the zone: all goes to others', 'AAbbb', {}, [0, 0, 33, 33, 33]],
    ['panic: zones do not count', 'aAAbBB', {}, [17, 17, 17, 17, 17, 17]],
    ['zones ignored', 'aabb', { anyZone: true }, [25, 25, 25, 25]],
  ])('%s', (_, zones, settings, expected) => {
    const endpoints = endpointsIn(zones);
    expectAbout(shares(selectionOf(endpoints, settings), endpoints), expected);
  });

  it('is seen when somebody says so', () => {
    const endpoints = endpointsIn('aaa');
    const selection = selectionOf(endpoints);
    endpoints[0]!.available = false;
    expectAbout(shares(selection, endpoints), [33, 33, 33]);
    selection.refresh();
    expectAbout(shares(selection, endpoints), [0, 50, 50]);
  });

  it.each<[string, Algorithm]>([
    ['RingHash', ringHash],
    ['Maglev', maglev],
  ])('%s: only their keys move, spread over the others, and come back', (_, algorithm) => {
    const endpoints = endpointsIn('aaaa');
    const selection = selectionOf(endpoints, { algorithm });
    const keys = Array.from({ length: 2000 }, (_, i) => Math.imul(i, 0x9e3779b1));
    const before = keys.map((key) => selection.pick(key));
    endpoints[1]!.available = false;
    selection.refresh();
    const during = keys.map((key) => selection.pick(key));
    const moved = keys.filter((_, i) => during[i] !== before[i]);
    expect(moved.length).toBe(before.filter((endpoint) => endpoint === endpoints[1]).length);
    expect(new Set(moved.map((key) => selection.pick(key))).size).toBe(3);
    endpoints[1]!.available = true;
    selection.refresh();
    expect(keys.map((key) => selection.pick(key))).toEqual(before);
  });

  it('by key: spill-over sends the same keys away each time', () => {
    const endpoints = endpointsIn('aAbb');
    const selection = selectionOf(endpoints, { algorithm: maglev });
    expectAbout(shares(selection, endpoints), [71, 0, 14, 14], 8);
    for (let key = 0; key < 50; key++) expect(selection.pick(key)).toBe(selection.pick(key));
  });
});

describe('another endpoint for a request that was not served', () => {
  it.each<[string, string, number[], number[]]>([
    ['is none that was tried', 'aaa', [0], [1, 2]],
    ['is the last that is left', 'aaa', [0, 2], [1]],
    ['is any when all were tried', 'aa', [0, 1], [0, 1]],
    ['is one of another zone', 'aabb', [0], [2, 3]],
    ['is one of the zone when all others were tried', 'aabb', [0, 2, 3], [1]],
    ['is in service', 'aaAa', [0], [1, 3]],
  ])('%s', (_, zones, tried, expected) => {
    for (const algorithm of [roundRobin, random, leastRequest, maglev, ringHash]) {
      const endpoints = endpointsIn(zones);
      const selection = selectionOf(endpoints, { algorithm });
      const found = new Set<number>();
      for (let key = 0; key < 300; key++) {
        const other = selection.pickOther(
          Math.imul(key, 0x9e3779b1),
          tried.map((i) => endpoints[i]!),
        );
        found.add(other ? endpoints.indexOf(other) : -1);
      }
      expect([...found].sort()).toEqual(expected);
    }
  });
});

describe('a slow start', () => {
  const slowStart = { window: 10_000, least: 0.1 };

  it.each<[string, Algorithm]>([
    ['RoundRobin', roundRobin],
    ['Random', random],
    ['LeastRequest', leastRequest],
  ])('%s: a new endpoint gets its share little by little', (_, algorithm) => {
    const endpoints = endpointsIn('aaa', 2);
    endpoints[2]!.since = time;
    const selection = selectionOf(endpoints, { algorithm, slowStart });
    expectAbout(shares(selection, endpoints), [48, 48, 5]);
    time += 5000;
    expectAbout(shares(selection, endpoints), [40, 40, 20]);
    time += 5000;
    expectAbout(shares(selection, endpoints), [33, 33, 33]);
  });

  it('is none where all are new', () => {
    const endpoints = endpointsIn('aa');
    expectAbout(shares(selectionOf(endpoints, { slowStart }), endpoints), [50, 50]);
  });
});
