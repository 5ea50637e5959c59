import { Kind, keyOf } from '@gatehouse/snapshot';
import { describe, expect, it } from 'vitest';
import type { ObjectStatus } from '../../compile/index.ts';
import type { Seen } from '../../providers/kubernetes/index.ts';
import { verdict } from '../programmed.ts';
import { unsoundStatus, withTroubles } from './overlay.ts';
import { wantedStatus } from './wanted.ts';

const t1 = '2026-01-01T00:00:00Z';
const t2 = '2026-01-01T00:01:00Z';
const accepted = { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' } as const;
const route: ObjectStatus = {
  kind: 'Route',
  namespace: 'shop',
  name: 'a',
  generation: 2,
  conditions: [accepted],
  parents: [{ parentRef: { namespace: 'shop', name: 'main' }, conditions: [accepted] }],
  resources: ['1/x'] as unknown as ObjectStatus['resources'],
};
const served = verdict(2, [], []);
const pending = verdict(2, ['gw-1'], []);

describe('the status of a Route', () => {
  const first = wantedStatus(route, served, undefined, t1);

  it('is as Gateway API shapes it', () => {
    const mine = { ...accepted, observedGeneration: 2, lastTransitionTime: t1 };
    expect(first.status).toEqual({
      conditions: [
        mine,
        { ...mine, type: 'Programmed', reason: 'Programmed', message: served.message },
      ],
      parents: [
        {
          parentRef: {
            group: 'gateway.networking.k8s.io',
            kind: 'Gateway',
            namespace: 'shop',
            name: 'main',
          },
          controllerName: 'gatehouse.dev/gateway-controller',
          conditions: [mine],
        },
      ],
    });
    expect(first.same).toBe(false);
  });

  it('is the same when it is there already, whoever else wrote into it', () => {
    expect(wantedStatus(route, served, first.status, t2).same).toBe(true);
    const other = { type: 'Other', status: 'True' };
    const conditions = [other, ...(first.status.conditions as object[])];
    expect(wantedStatus(route, served, { ...first.status, conditions }, t2).same).toBe(true);
  });

  it('keeps the time of a condition until its status changes', () => {
    const next = wantedStatus({ ...route, generation: 3 }, pending, first.status, t2);
    expect(next.same).toBe(false);
    expect(next.status.conditions).toMatchObject([
      { type: 'Accepted', lastTransitionTime: t1, observedGeneration: 3 },
      { type: 'Programmed', lastTransitionTime: t2, observedGeneration: 3, status: 'False' },
    ]);
  });

  it('is the same when only the number of data planes is another', () => {
    expect(wantedStatus(route, verdict(3, [], []), first.status, t2).same).toBe(true);
    const waiting = wantedStatus(route, pending, undefined, t1).status;
    expect(wantedStatus(route, verdict(3, ['gw-1'], []), waiting, t2).same).toBe(false);
  });

  it.each<[string, unknown]>([
    ['another parent', { ...first.status, parents: [{ parentRef: { name: 'other' } }] }],
    ['no parent', { ...first.status, parents: [] }],
    ['nonsense', { conditions: 'x', parents: 7 }],
    ['null', null],
  ])('differs from one with %s', (_, present) => {
    expect(wantedStatus(route, served, present, t2).same).toBe(false);
  });

  it('is worth a write at once when it lasts', () => {
    const urgency = (...[programmed, present]: [typeof served, unknown]) =>
      wantedStatus(route, programmed, present, t2).urgency;
    expect(urgency(served, undefined)).toBe('now');
    expect(urgency(verdict(2, ['gw-1'], ['no']), first.status)).toBe('now');
    expect(urgency(pending, undefined)).toBe('soon');
    const older = wantedStatus({ ...route, generation: 1 }, served, undefined, t1).status;
    expect(urgency(pending, older)).toBe('soon');
    expect(urgency(pending, first.status)).toBe('patient');
    expect(urgency(pending, wantedStatus(route, pending, undefined, t1).status)).toBe('patient');
  });
});

describe('the status of a Gateway', () => {
  const gateway: ObjectStatus = {
    kind: 'Gateway',
    namespace: 'shop',
    name: 'main',
    generation: 1,
    conditions: [
      accepted,
      { type: 'ResolvedRefs', status: 'True', reason: 'ResolvedRefs', message: '' },
    ],
    listeners: [
      { name: 'http', attachedRoutes: 3, conditions: [accepted] },
      { name: 'bad', attachedRoutes: 0, conditions: [{ ...accepted, status: 'False' }] },
    ],
    resources: [keyOf(Kind.SECRET, 'shop/web')],
  };

  it('tells of each listener', () => {
    const { status } = wantedStatus(gateway, served, undefined, t1);
    expect(status.listeners).toMatchObject([
      {
        name: 'http',
        attachedRoutes: 3,
        supportedKinds: [{ group: 'gatehouse.dev', kind: 'Route' }],
        conditions: [accepted, { type: 'Programmed', status: 'True' }],
      },
      { name: 'bad', conditions: [{ status: 'False' }, { type: 'Programmed', status: 'False' }] },
    ]);
    expect(wantedStatus(gateway, served, status, t2).same).toBe(true);
    const more = { ...gateway, listeners: [{ ...gateway.listeners![0]!, attachedRoutes: 4 }] };
    expect(wantedStatus(more, served, status, t2).same).toBe(false);
  });

  it('tells of a Secret that is served although it is gone', () => {
    const troubles = new Map([
      ['shop/web', 'Secret "shop/web" was deleted; its last good content stays in use'],
      ['shop/other', 'Secret "shop/other" was deleted'],
    ]);
    expect(withTroubles(gateway, troubles).conditions[1]).toEqual({
      type: 'ResolvedRefs',
      status: 'False',
      reason: 'InvalidCertificateRef',
      message: 'Secret "shop/web" was deleted; its last good content stays in use',
    });
    expect(withTroubles({ ...gateway, resources: [] }, troubles).conditions).toEqual(
      gateway.conditions,
    );
  });
});

describe('an object that is not sound', () => {
  const seen: Seen = {
    uid: 'u',
    generation: 3,
    version: 10,
    latest: 10,
    status: undefined,
    problems: [{ path: ['spec', 'rules', 0, 'name'], message: 'expected a name' }],
  };

  it('is not accepted, and what stays in use is named', () => {
    const status = unsoundStatus('Route/shop/a', seen, route);
    expect(status).toMatchObject({ kind: 'Route', namespace: 'shop', name: 'a', generation: 3 });
    const refused = {
      type: 'Accepted',
      status: 'False',
      reason: 'Invalid',
      message: 'spec.rules[0].name: expected a name; generation 2, the last good one, stays in use',
    };
    expect(status.conditions).toEqual([refused]);
    expect(status.parents?.[0]?.conditions).toEqual([refused]);
    expect(status.resources).toEqual([]);
  });

  it('has a status even when it never was sound', () => {
    const { conditions } = unsoundStatus('Upstream/shop/u', seen, undefined);
    expect(conditions[0]?.message).toContain('; nothing of it is in use');
  });
});
