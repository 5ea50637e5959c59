import { hex, Kind, keyOf, manifestOf, type ResourceSet, versionOf } from '@gatehouse/snapshot';
import { describe, expect, test } from 'vitest';
import type { Compiled, ObjectStatus } from '../compile/index.ts';
import type { DataPlaneView, FleetView } from '../push/fleet.ts';
import { endpoints, route, setOf, upstream } from '../push/testing/fixtures.ts';
import { statusOf } from './programmed.ts';
import { changedLines, summaryOf } from './summary.ts';

const accepted = { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' } as const;
const routeKey = keyOf(Kind.ROUTE, 'default/a');

const object: ObjectStatus = {
  kind: 'Route',
  namespace: 'default',
  name: 'a',
  generation: 7,
  conditions: [accepted],
  resources: [routeKey],
};
const config = setOf(route('default/a', 2), route('default/b', 1), upstream('u', 1));
const ends = setOf(endpoints('u', 80));

function compiledOf(status: Partial<ObjectStatus> = {}): Compiled {
  return {
    config,
    configVersion: versionOf(config),
    endpoints: ends,
    endpointsVersion: versionOf(ends),
    shares: false,
    keep: new Set(),
    statuses: [{ ...object, ...status }],
  };
}

const laneOf = (set: ResourceSet, refused?: string) => ({
  version: versionOf(set),
  manifest: manifestOf(set),
  refused: refused === undefined ? undefined : { version: 'v', reason: refused },
});
const plane = (
  node: string,
  configSet: ResourceSet = config,
  endpointsSet: ResourceSet = ends,
  refused?: string,
): DataPlaneView => ({
  node,
  zone: '',
  release: '',
  config: laneOf(configSet, refused),
  endpoints: laneOf(endpointsSet),
});
const older = setOf(route('default/a', 1), route('default/b', 1), upstream('u', 1));
const fleetOf = (
  dataPlanes: DataPlaneView[],
  heldBack: FleetView['heldBack'] = new Map(),
  troubles: FleetView['troubles'] = new Map(),
) => ({ dataPlanes, heldBack, troubles, nacks: 0 });
const refusedBy = (...nodes: string[]) =>
  new Map([
    [routeKey, nodes.map((node) => ({ node, path: 'rules[0].matches[0].path', reason: 'bad' }))],
  ]);
const both = { resources: [keyOf(Kind.UPSTREAM, 'u'), keyOf(Kind.ENDPOINTS, 'u')] };

type Case = [
  name: string,
  fleet: FleetView,
  status: Partial<ObjectStatus>,
  expected: [string, string, string],
];
const cases: Case[] = [
  ['no data plane', fleetOf([]), {}, ['Unknown', 'Pending', 'no data plane is connected']],
  [
    'all have it',
    fleetOf([plane('dp-1'), plane('dp-2')]),
    {},
    ['True', 'Programmed', 'acknowledged by 2 of 2 data planes'],
  ],
  [
    'one has an older version',
    fleetOf([plane('dp-1'), plane('dp-2', older)]),
    {},
    ['False', 'Pending', 'acknowledged by 1 of 2 data planes (waiting for dp-2)'],
  ],
  [
    'one has nothing yet',
    fleetOf([plane('dp-1'), plane('dp-2', new Map())]),
    {},
    ['False', 'Pending', 'acknowledged by 1 of 2 data planes (waiting for dp-2)'],
  ],
  [
    'a data plane that lacks another object has this one',
    fleetOf([plane('dp-1', setOf(route('default/a', 2)))]),
    {},
    ['True', 'Programmed', 'acknowledged by 1 of 1 data planes'],
  ],
  [
    'many are awaited',
    fleetOf(['a', 'b', 'c', 'd', 'e'].map((node) => plane(node, older))),
    {},
    ['False', 'Pending', 'acknowledged by 0 of 5 data planes (waiting for a, b, c and 2 more)'],
  ],
  [
    'one refused it',
    fleetOf([plane('dp-1', older), plane('dp-2', older)], refusedBy('dp-2')),
    {},
    [
      'False',
      'Refused',
      'rules[0].matches[0].path: bad (refused by dp-2); acknowledged by 0 of 2 data planes',
    ],
  ],
  [
    'two refused it',
    fleetOf([plane('dp-1', older), plane('dp-2', older)], refusedBy('dp-1', 'dp-2')),
    {},
    [
      'False',
      'Refused',
      'rules[0].matches[0].path: bad (refused by dp-1); rules[0].matches[0].path: bad (refused by dp-2); acknowledged by 0 of 2 data planes',
    ],
  ],
  [
    'another object is refused',
    fleetOf([plane('dp-1')], new Map([[keyOf(Kind.ROUTE, 'default/b'), []]])),
    {},
    ['True', 'Programmed', 'acknowledged by 1 of 1 data planes'],
  ],
  [
    'an update was refused as a whole',
    fleetOf([plane('dp-1', older, ends, 'too large')]),
    {},
    ['False', 'Refused', 'dp-1 refused the update: too large; acknowledged by 0 of 1 data planes'],
  ],
  [
    'an update of the other lane was refused as a whole',
    fleetOf([plane('dp-1', config, setOf(endpoints('u', 81)), 'too large')]),
    { resources: [keyOf(Kind.ENDPOINTS, 'u')] },
    ['False', 'Pending', 'acknowledged by 0 of 1 data planes (waiting for dp-1)'],
  ],
  [
    'its endpoints are older',
    fleetOf([plane('dp-1', config, setOf(endpoints('u', 81)))]),
    both,
    ['False', 'Pending', 'acknowledged by 0 of 1 data planes (waiting for dp-1)'],
  ],
  [
    'both lanes are current',
    fleetOf([plane('dp-1')]),
    both,
    ['True', 'Programmed', 'acknowledged by 1 of 1 data planes'],
  ],
  [
    'it does not work on one of them',
    fleetOf(
      [plane('dp-1'), plane('dp-2')],
      new Map(),
      new Map([[routeKey, [{ node: 'dp-2', path: 'jwks.url', reason: 'HTML' }]]]),
    ),
    {},
    ['False', 'NotEnforced', 'jwks.url: HTML (on dp-2); acknowledged by 2 of 2 data planes'],
  ],
  [
    'something is worth knowing of it on one of them',
    fleetOf(
      [plane('dp-1'), plane('dp-2')],
      new Map(),
      new Map([
        [routeKey, [{ node: 'dp-2', path: 'limits[a]', reason: 'is small', notice: true }]],
      ]),
    ),
    {},
    ['True', 'Programmed', 'limits[a]: is small (on dp-2); acknowledged by 2 of 2 data planes'],
  ],
  [
    'it is not accepted',
    fleetOf([plane('dp-1')]),
    { conditions: [{ ...accepted, status: 'False', reason: 'Invalid' }] },
    ['False', 'Invalid', 'not accepted'],
  ],
  [
    'nothing comes of it',
    fleetOf([plane('dp-1')]),
    { resources: [] },
    ['False', 'NoResources', 'nothing of it is in use'],
  ],
];

test.each(cases)('%s', (_, fleet, status, [state, reason, message]) => {
  const [result] = statusOf(compiledOf(status), fleet);
  expect(result?.conditions.at(-1)).toEqual({ type: 'Programmed', status: state, reason, message });
  expect(result?.generation).toBe(7);
});

describe('summary', () => {
  const summary = (fleet: FleetView, status: Partial<ObjectStatus> = {}) => {
    const compiled = compiledOf(status);
    return summaryOf(compiled, fleet, statusOf(compiled, fleet));
  };

  test('tells the state of each object', () => {
    expect(summary(fleetOf([plane('dp-1')]))).toEqual({
      configVersion: versionOf(config),
      endpointsVersion: versionOf(ends),
      dataPlanes: 1,
      objects: [
        {
          kind: 'Route',
          namespace: 'default',
          name: 'a',
          generation: 7,
          content: hex(config.get(routeKey)!.hash).slice(0, 8),
          accepted: true,
          programmed: true,
          reason: 'Programmed',
          message: 'acknowledged by 1 of 1 data planes',
        },
      ],
    });
  });

  test('shows the first condition that is not well', () => {
    const broken = {
      ...accepted,
      type: 'ResolvedRefs',
      status: 'False',
      message: 'no Service x',
    } as const;
    const [shown] = summary(fleetOf([plane('dp-1')]), { conditions: [accepted, broken] }).objects;
    expect(shown).toMatchObject({ programmed: true, message: 'no Service x' });
  });

  const waiting = summary(fleetOf([plane('dp-1', older)]));
  const live = summary(fleetOf([plane('dp-1')]));
  const liveOnTwo = summary(fleetOf([plane('dp-1'), plane('dp-2')]));
  const refused = summary(fleetOf([plane('dp-1', older)], refusedBy('dp-1')));
  test.each([
    ['nothing while an object only waits', undefined, waiting, []],
    ['an object that came in use', waiting, live, [/^Route default\/a: acknowledged by 1 of 1/]],
    ['nothing for one more data plane', live, liveOnTwo, []],
    ['an object that cannot be used', waiting, refused, [/^Route default\/a: rules\[0\]/]],
    ['nothing twice', refused, refused, []],
  ])('lines hold %s', (_, before, after, expected) => {
    const lines = changedLines(before, after);
    expect(lines).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  });

  test('lines are counted when there are many', () => {
    const objects = Array.from({ length: 25 }, (_, n) => ({ ...live.objects[0]!, name: `${n}` }));
    const lines = changedLines(undefined, { ...live, objects });
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('and 5 more objects');
  });
});
