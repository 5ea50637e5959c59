import { emptySet, type ResourceSet } from '@gatehouse/snapshot';
import { describe, expect, it } from 'vitest';
import type { Compiled } from '../../compile/index.ts';
import { Fleet } from '../../push/fleet.ts';
import { route, setOf, snapshotOf } from '../../push/testing/fixtures.ts';
import { type Judge, modelDataPlane, settle } from '../../push/testing/model.ts';
import { createDepartures } from './departures.ts';
import { createHistory } from './history.ts';
import { readReport, reportOf } from './report.ts';

function world() {
  const fleet = new Fleet(() => undefined);
  const history = { config: createHistory(), endpoints: createHistory() };
  let compiled: Compiled;
  return {
    fleet,
    publish(config: ResourceSet, version: number) {
      compiled = { ...snapshotOf(config), shares: false, keep: new Set(), statuses: [] };
      history.config.note(compiled.configVersion, { 'Route/': version, 'Service/': version });
      history.endpoints.note(compiled.endpointsVersion, { 'Route/': version });
      fleet.publish(compiled);
    },
    report: () => reportOf(fleet.view(), compiled, history),
    connect(node: string, judge?: Judge, held?: ResourceSet) {
      const plane = modelDataPlane(fleet, node, judge, held);
      plane.connect();
      return plane;
    },
  };
}
const many = (count: number, content: number) =>
  setOf(...Array.from({ length: count }, (_, i) => route(`shop/r-${i}`, content)));

describe('a report', () => {
  it('tells how far each data plane has come, in terms of the cluster', () => {
    const { publish, report, connect } = world();
    publish(many(2, 1), 10);
    const [a, b] = [connect('gw-1'), connect('gw-2')];
    settle([a, b]);
    publish(many(2, 2), 20);
    settle([b]);
    expect(report().dataPlanes).toEqual([
      expect.objectContaining({ node: 'gw-1', config: { upTo: { 'Route/': 10 }, except: [] } }),
      expect.objectContaining({ node: 'gw-2', config: { upTo: { 'Route/': 20 }, except: [] } }),
    ]);
  });

  it('goes on when the cluster does without a change of the snapshot', () => {
    const { publish, report, connect } = world();
    publish(many(2, 1), 10);
    settle([connect('gw-1')]);
    publish(many(2, 1), 30);
    expect(report().dataPlanes[0]?.config.upTo).toEqual({ 'Route/': 30 });
  });

  it('names what is refused and who refused it', () => {
    const { publish, report, connect } = world();
    publish(many(3, 1), 10);
    const plane = connect('gw-1', ({ name }) =>
      name === 'shop/r-1' ? { path: 'rules[0]', reason: 'no' } : undefined,
    );
    settle([plane]);
    const { dataPlanes, heldBack, at } = report();
    const [key] = [...setOf(route('shop/r-1', 1)).keys()];
    expect(dataPlanes[0]?.config).toEqual({ upTo: { 'Route/': 10 }, except: [key] });
    expect(heldBack).toEqual([{ key, by: [{ node: 'gw-1', path: 'rules[0]', reason: 'no' }] }]);
    expect(at['Route/']).toBe(10);
  });

  it('says of one with an unknown snapshot what it lacks, or nothing when that is too much', () => {
    const { publish, report, connect } = world();
    publish(many(300, 1), 10);
    connect('gw-1', undefined, new Map([...many(300, 1), ...many(2, 7)]));
    connect('gw-2', undefined, emptySet);
    const [few, all] = report().dataPlanes;
    expect(few?.config.upTo).toEqual({ 'Route/': 10 });
    expect(few?.config.except).toHaveLength(2);
    expect(all?.config).toEqual({ upTo: null, except: [] });
  });

  it('is read as it was written', () => {
    const { publish, report, connect } = world();
    publish(many(2, 1), 10);
    connect('gw-1');
    expect(readReport('c-2', JSON.stringify(report()))).toEqual(report());
  });

  it.each(['', '{', 'null', '7', '{"format":2,"dataPlanes":[]}'])(
    'that is %j stands for data planes of which nothing is known',
    (text) => {
      const { dataPlanes } = readReport('c-2', text);
      expect(dataPlanes.map(({ node, config }) => [node, config.upTo])).toEqual([
        ['those of c-2', null],
      ]);
    },
  );
});

describe('a data plane that is not connected any more', () => {
  it('is counted for a while, unless it is back', () => {
    const { publish, report, connect, fleet } = world();
    let now = 0;
    const withDepartures = createDepartures(5000, () => now);
    const nodes = () => withDepartures(report()).dataPlanes.map(({ node }) => node);
    publish(many(2, 1), 10);
    const plane = connect('gw-1');
    settle([plane]);
    expect(nodes()).toEqual(['gw-1']);
    plane.drop();
    publish(many(2, 2), 20);
    now = 4000;
    expect(withDepartures(report()).dataPlanes[0]?.config.upTo).toEqual({ 'Route/': 10 });
    plane.connect();
    expect(nodes()).toEqual(['gw-1']);
    plane.drop();
    expect(fleet.view().dataPlanes).toEqual([]);
    now = 9100;
    expect(nodes()).toEqual([]);
  });
});

it('remembers the latest versions only', () => {
  const history = createHistory();
  for (let i = 0; i < 100; i++) history.note(`v${i}`, { 'Route/': i });
  history.note('v40', { 'Route/': 100 });
  expect(history.of('v0')).toBeUndefined();
  expect(history.of('v99')).toEqual({ 'Route/': 99 });
  expect(history.of('v40')).toEqual({ 'Route/': 100 });
});
