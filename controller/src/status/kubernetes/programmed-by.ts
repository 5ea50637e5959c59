import type { Key } from '@gatehouse/snapshot';
import type { ObjectStatus } from '../../compile/index.ts';
import { type Progress, reached } from '../../providers/kubernetes/index.ts';
import type { RefusedBy } from '../../push/effective.ts';
import { objectKey } from '../../store/key.ts';
import {
  isEndpoints,
  notInUse,
  type Programmed,
  refusalText,
  verdict,
  withTroubles,
} from '../programmed.ts';
import type { DataPlaneReport, LaneReport, Report } from './report.ts';

/** Whether all data planes serve what became of an object. @param version of its content. */
export type Judge = (status: ObjectStatus, version: number) => Programmed;

interface Lane extends LaneReport {
  excepted: ReadonlySet<Key>;
}
interface DataPlane {
  node: string;
  /** From each replica that knows it; it moves from one to another. */
  config: Lane[];
  endpoints: Lane[];
}

/** Pure: follows from the reports of all replicas. A data plane serves what anybody saw it serve. */
export function programmedBy(reports: readonly Report[]): Judge {
  const dataPlanes = merged(reports.flatMap((report) => report.dataPlanes));
  const heldBack = new Map<Key, { by: readonly RefusedBy[]; at: Progress }[]>();
  const troubles = new Map<Key, RefusedBy[]>();
  for (const { key, by } of reports.flatMap((report) => report.troubles ?? [])) {
    troubles.set(key, [...(troubles.get(key) ?? []), ...by]);
  }
  for (const { heldBack: held, at } of reports) {
    for (const { key, by } of held) heldBack.set(key, [...(heldBack.get(key) ?? []), { by, at }]);
  }

  const served = verdict(dataPlanes.length, [], []);
  const floorOf = createFloors(dataPlanes);

  return (status, version) => {
    const out = notInUse(status);
    if (out) return out;
    const { kind, namespace, name, resources } = status;
    const felt = troubles.size === 0 ? [] : resources.flatMap((key) => troubles.get(key) ?? []);
    // The usual case: nothing has to be compared.
    if (version <= floorOf(kind, namespace)) return withTroubles(served, felt);
    const object = objectKey(kind, namespace, name);
    const ends = resources.filter(isEndpoints);
    const config = ends.length === 0 ? resources : resources.filter((key) => !isEndpoints(key));
    const serves = (lanes: readonly Lane[], keys: readonly Key[]) =>
      keys.length === 0 ||
      lanes.some(
        ({ upTo, excepted }) =>
          upTo !== null &&
          reached(upTo, object) >= version &&
          (excepted.size === 0 || !keys.some((key) => excepted.has(key))),
      );
    const waiting = dataPlanes.filter(
      (one) => !serves(one.config, config) || !serves(one.endpoints, ends),
    );
    const refusals =
      waiting.length === 0
        ? []
        : [
            ...resources
              .flatMap((key) => heldBack.get(key) ?? [])
              // A replica that has not seen this content speaks of an older one.
              .filter(({ at }) => reached(at, object) >= version)
              .flatMap(({ by }) => by.map(refusalText)),
            ...waiting.flatMap((one) => wholeRefusals(one, config.length > 0, ends.length > 0)),
          ];
    const state = verdict(
      dataPlanes.length,
      waiting.map(({ node }) => node),
      refusals,
    );
    return withTroubles(state, felt);
  };
}

/** The version up to which every data plane serves everything of a namespace; -1 when none can be told. */
function createFloors(dataPlanes: readonly DataPlane[]) {
  const lanes = dataPlanes.flatMap(({ config, endpoints }) => [config, endpoints]);
  const floors = new Map<string, Map<string, number>>();
  return (kind: ObjectStatus['kind'], namespace: string): number => {
    const known = floors.get(kind)?.get(namespace);
    if (known !== undefined) return known;
    const object = objectKey(kind, namespace, '');
    const most = lanes.map((reports) =>
      Math.max(
        ...reports.map(({ upTo, excepted }) =>
          upTo === null || excepted.size > 0 ? -1 : reached(upTo, object),
        ),
      ),
    );
    const floor = dataPlanes.length === 0 ? -1 : Math.min(...most);
    const ofKind = floors.get(kind) ?? new Map<string, number>();
    floors.set(kind, ofKind.set(namespace, floor));
    return floor;
  };
}

function merged(reports: readonly DataPlaneReport[]): DataPlane[] {
  const byNode = new Map<string, DataPlane>();
  for (const { node, config, endpoints } of reports) {
    const one = byNode.get(node) ?? { node, config: [], endpoints: [] };
    byNode.set(node, one);
    one.config.push({ ...config, excepted: new Set(config.except) });
    one.endpoints.push({ ...endpoints, excepted: new Set(endpoints.except) });
  }
  return [...byNode.values()].sort((a, b) => (a.node < b.node ? -1 : 1));
}

function wholeRefusals(one: DataPlane, config: boolean, endpoints: boolean): string[] {
  return [...(config ? one.config : []), ...(endpoints ? one.endpoints : [])].flatMap(
    ({ refused }) => (refused === undefined ? [] : [`${one.node} refused the update: ${refused}`]),
  );
}
