import { Kind, keyOf } from '@gatehouse/snapshot';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { ObjectStatus } from '../../compile/index.ts';
import { programmedBy } from './programmed-by.ts';
import type { DataPlaneReport, LaneReport, Report } from './report.ts';

const routeKey = keyOf(Kind.ROUTE, 'shop/a');
const endpointsKey = keyOf(Kind.ENDPOINTS, 'upstream/shop/u');
const upstreamKey = keyOf(Kind.UPSTREAM, 'upstream/shop/u');
const accepted = { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' } as const;
const route: ObjectStatus = {
  kind: 'Route',
  namespace: 'shop',
  name: 'a',
  generation: 1,
  conditions: [accepted],
  resources: [routeKey],
};
const upstream: ObjectStatus = {
  ...route,
  kind: 'Upstream',
  name: 'u',
  resources: [upstreamKey, endpointsKey],
};
const upTo = (version: number, more: Partial<LaneReport> = {}): LaneReport => ({
  upTo: { 'Route/': version, 'Upstream/': version },
  except: [],
  ...more,
});
const plane = (
  node: string,
  config: LaneReport | number,
  endpoints: LaneReport | number = 0,
): DataPlaneReport => ({
  node,
  config: typeof config === 'number' ? upTo(config) : config,
  endpoints: typeof endpoints === 'number' ? upTo(endpoints) : endpoints,
});
const report = (dataPlanes: DataPlaneReport[], more: Partial<Report> = {}): Report => ({
  format: 1,
  dataPlanes,
  heldBack: [],
  at: { 'Route/': 10, 'Upstream/': 10 },
  ...more,
});
const nothing: LaneReport = { upTo: null, except: [] };

describe('a Route whose content is of version 10', () => {
  it.each<[string, Report[], string]>([
    ['nobody', [report([])], 'Unknown: no data plane is connected'],
    [
      'all of all replicas',
      [report([plane('gw-1', 10)]), report([plane('gw-2', 12)])],
      'True: acknowledged by 2 of 2 data planes',
    ],
    [
      'not by one of another replica',
      [report([plane('gw-1', 10)]), report([plane('gw-2', 9)])],
      'False: acknowledged by 1 of 2 data planes (waiting for gw-2)',
    ],
    [
      'one that moved from a replica to another',
      [report([plane('gw-1', 9)]), report([plane('gw-1', 10)])],
      'True: acknowledged by 1 of 1 data planes',
    ],
    [
      'not by one of which nothing is known',
      [report([plane('gw-1', nothing)])],
      'False: acknowledged by 0 of 1 data planes (waiting for gw-1)',
    ],
    [
      'not by one that lacks just this',
      [report([plane('gw-1', upTo(20, { except: [routeKey] })), plane('gw-2', 20)])],
      'False: acknowledged by 1 of 2 data planes (waiting for gw-1)',
    ],
    [
      'one that lacks something else',
      [report([plane('gw-1', upTo(20, { except: [upstreamKey] }))])],
      'True: acknowledged by 1 of 1 data planes',
    ],
    [
      'one that refused it',
      [
        report([plane('gw-1', upTo(20, { except: [routeKey] }))], {
          heldBack: [
            { key: routeKey, by: [{ node: 'gw-1', path: 'rules[0]', reason: 'too long' }] },
          ],
        }),
      ],
      'False: rules[0]: too long (refused by gw-1); acknowledged by 0 of 1 data planes',
    ],
    [
      'one that refused what was before',
      [
        report([plane('gw-1', 9)], {
          at: { 'Route/': 9 },
          heldBack: [{ key: routeKey, by: [{ node: 'gw-1', path: '', reason: 'too long' }] }],
        }),
      ],
      'False: acknowledged by 0 of 1 data planes (waiting for gw-1)',
    ],
    [
      'one that refused an update as a whole',
      [report([plane('gw-1', upTo(9, { refused: 'disk full' }))])],
      'False: gw-1 refused the update: disk full; acknowledged by 0 of 1 data planes',
    ],
  ])('is served by %s', (_, reports, expected) => {
    const { status, message } = programmedBy(reports)(route, 10);
    expect(`${status}: ${message}`).toBe(expected);
  });

  it('is compared within its own namespace when those are watched one by one', () => {
    const at = (upTo: Record<string, number>) =>
      programmedBy([report([plane('gw-1', { upTo, except: [] })])])(route, 10).status;
    expect(at({ 'Route/shop': 10, 'Route/other': 3 })).toBe('True');
    expect(at({ 'Route/shop': 9, 'Route/other': 30 })).toBe('False');
  });

  it('is not in question when it is not in use', () => {
    const judge = programmedBy([report([plane('gw-1', 1)])]);
    expect(judge({ ...route, resources: [] }, 10).reason).toBe('NoResources');
    const refused = { ...accepted, status: 'False' } as const;
    expect(judge({ ...route, conditions: [refused] }, 10).reason).toBe('Invalid');
  });
});

describe('an Upstream', () => {
  it.each([
    [10, 10, 'True'],
    [10, 9, 'False'],
    [9, 10, 'False'],
  ])('with config up to %d and endpoints up to %d', (config, endpoints, expected) => {
    const reports = [report([plane('gw-1', config, endpoints)])];
    expect(programmedBy(reports)(upstream, 10).status).toBe(expected);
  });
});

test('programmed is what every data plane was seen to serve, by whomever', () => {
  const lane = fc.option(fc.integer({ min: 0, max: 4 }), { nil: null });
  const planes = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), lane), { maxLength: 4 });
  fc.assert(
    fc.property(
      fc.array(planes, { maxLength: 3 }),
      fc.integer({ min: 0, max: 4 }),
      (all, version) => {
        const reports = all.map((one) =>
          report(one.map(([node, up]) => plane(node, up === null ? nothing : upTo(up)))),
        );
        const nodes = Map.groupBy(all.flat(), ([node]) => node);
        const serving = [...nodes.values()].filter((seen) =>
          seen.some(([, up]) => up !== null && up >= version),
        );
        const { status } = programmedBy(reports)(route, version);
        if (nodes.size === 0) expect(status).toBe('Unknown');
        else expect(status === 'True').toBe(serving.length === nodes.size);
      },
    ),
  );
});
