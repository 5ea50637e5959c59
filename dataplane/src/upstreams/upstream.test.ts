import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTimerWheel, type TimerWheel } from '../state/timer-wheel.ts';
import { roundRobin } from './balancing/round-robin.ts';
import type { EndpointAddress } from './endpoint.ts';
import { ownUpstreamTables } from './shared/upstream-memory.ts';
import type { Surroundings } from './surroundings.ts';
import { Upstream, type UpstreamSettings } from './upstream.ts';

const settings: UpstreamSettings = {
  hash: Buffer.alloc(0),
  label: 'u',
  pool: { connectTimeout: 1000, maxIdle: 4, idleTimeout: 1000, maxConnections: 0, maxLifetime: 0 },
  connections: { maxConnections: 0, queueTimeout: 1000 },
  selection: { algorithm: roundRobin, slowStart: undefined, panicPercent: 50, anyZone: false },
  key: undefined,
  sticky: undefined,
  guard: undefined,
  health: undefined,
};
let wheel: TimerWheel;
let around: Surroundings;
beforeEach(() => {
  wheel = createTimerWheel();
  const counter = () => () => undefined;
  const report = () => undefined;
  around = { wheel, tables: ownUpstreamTables(), threads: 1, counter, report };
});
afterEach(() => wheel.close());

function upstreamOf(endpoints: readonly EndpointAddress[], zone: string): Upstream {
  const upstream = new Upstream('u', settings, around);
  upstream.setEndpoints(endpoints, zone);
  return upstream;
}

const endpoint = (hintedZones: string[], port: number, weight = 1): EndpointAddress => ({
  address: '10.0.0.1',
  port,
  weight,
  hintedZones,
});

const ports = (upstream: Upstream, count: number, other = false) =>
  Array.from({ length: count }, () => (other ? upstream.pickOther() : upstream.pick())?.port);

describe('an upstream', () => {
  const hinted = [endpoint(['a'], 1), endpoint(['a', 'b'], 2), endpoint(['b'], 3)];
  it.each<[string, EndpointAddress[], string, number[], number[]]>([
    ['of hinted endpoints: those of the zone first', hinted, 'a', [1, 2], [3]],
    ['of hinted endpoints: one may be for several zones', hinted, 'b', [2, 3], [1]],
    ['without one for the zone: all', hinted, 'c', [1, 2, 3], [1, 2, 3]],
    ['in no zone: all', hinted, '', [1, 2, 3], [1, 2, 3]],
    [
      'with an endpoint without hints: all',
      [...hinted, endpoint([], 4)],
      'a',
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ],
    [
      'with an endpoint without hints that gets no requests: those of the zone',
      [...hinted, endpoint([], 4, 0)],
      'a',
      [1, 2],
      [3],
    ],
    [
      'whose only endpoint of the zone gets no requests: all others',
      [endpoint(['a'], 1, 0), endpoint(['b'], 2), endpoint(['c'], 3)],
      'a',
      [2, 3],
      [2, 3],
    ],
    ['with everything in the zone: nothing else', hinted.slice(0, 2), 'a', [1, 2], [1, 2]],
    ['without endpoints: none', [], 'a', [], []],
  ])('%s', (_, endpoints, zone, first, others) => {
    const upstream = upstreamOf(endpoints, zone);
    const picked = (other: boolean) =>
      [...new Set(ports(upstream, 12, other))].filter((port) => port !== undefined).sort();
    expect(picked(false)).toEqual(first);
    expect(picked(true)).toEqual(others);
  });

  const zones = ['a', 'b', 'c'];
  const drawn = fc.uniqueArray(
    fc.record({
      address: fc.constant('10.0.0.1'),
      port: fc.integer({ min: 1, max: 12 }),
      weight: fc.nat(4),
      hintedZones: fc.subarray(zones),
    }),
    { selector: ({ port }) => port, maxLength: 8 },
  );

  it('spreads by weight over exactly those that its zone may use', () => {
    fc.assert(
      fc.property(drawn, fc.constantFrom('', ...zones), (endpoints, zone) => {
        const usable = endpoints.filter(({ weight }) => weight > 0);
        const here = usable.filter(({ hintedZones }) => hintedZones.includes(zone));
        const heeded = usable.every(({ hintedZones }) => hintedZones.length > 0);
        const first = heeded && here.length > 0 ? here : usable;
        const total = first.reduce((sum, { weight }) => sum + weight, 0);
        const upstream = upstreamOf(endpoints, zone);
        const counts = new Map<number, number>();
        for (const port of ports(upstream, 2 * total)) {
          counts.set(port ?? 0, (counts.get(port ?? 0) ?? 0) + 1);
        }
        expect(counts).toEqual(new Map(first.map(({ port, weight }) => [port, 2 * weight])));
        // A request that failed in its zone reaches every endpoint outside of it.
        const outside = usable.filter((one) => !first.includes(one));
        const expected = outside.length > 0 ? outside : usable;
        expect(new Set(ports(upstream, 100, true))).toEqual(
          usable.length > 0 ? new Set(expected.map(({ port }) => port)) : new Set([undefined]),
        );
      }),
    );
  });

  it('keeps the pools of endpoints that stay, whatever the hints', () => {
    const upstream = upstreamOf([endpoint(['a'], 1), endpoint(['b'], 2)], 'a');
    const before = upstream.pick();
    upstream.setEndpoints([endpoint(['b'], 1), endpoint(['a'], 2)], 'a');
    expect(upstream.pick()?.port).toBe(2);
    expect(upstream.pickOther()).toBe(before);
  });
});
