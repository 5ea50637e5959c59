import { hex, type Key, Lane, laneOf, type ResourceSet, splitKey } from '@gatehouse/snapshot';
import type { Compiled, Condition, ObjectStatus } from '../compile/index.ts';
import type { RefusedBy } from '../push/effective.ts';
import type { DataPlaneView, FleetView, LaneView } from '../push/fleet.ts';

/** Whether the data planes serve the generation that the status speaks of. */
export type Programmed = {
  type: 'Programmed';
  status: 'True' | 'False' | 'Unknown';
  reason: 'Programmed' | 'Pending' | 'Refused' | 'Invalid' | 'NoResources' | 'NotEnforced';
  message: string;
};

/** The status of an object with what the fleet made of it. */
export type FleetStatus = Omit<ObjectStatus, 'conditions'> & {
  /** Programmed is the last. */
  conditions: (Condition | Programmed)[];
};

/** So many names or reasons are listed, the rest is counted. */
const most = 3;

/** Pure: follows from what was compiled and what each data plane acknowledged or refused. */
export function statusOf(compiled: Compiled, fleet: FleetView): FleetStatus[] {
  const serves = fleet.dataPlanes.map((dataPlane) => servedBy(dataPlane, compiled));
  return compiled.statuses.map((status) => ({
    ...status,
    conditions: [...status.conditions, programmed(status, fleet, serves)],
  }));
}

type Serves = (key: Key) => boolean;

function programmed(status: ObjectStatus, fleet: FleetView, serves: Serves[]): Programmed {
  const out = notInUse(status);
  if (out) return out;
  const { resources } = status;
  const { dataPlanes, heldBack, troubles } = fleet;
  const waiting = dataPlanes.filter((_, i) => !resources.every((key) => serves[i]?.(key)));
  const refusals = [
    ...resources.flatMap((key) => heldBack.get(key) ?? []).map(refusalText),
    ...waiting.flatMap((dataPlane) => wholeRefusals(dataPlane, resources)),
  ];
  const state = verdict(
    dataPlanes.length,
    waiting.map(({ node }) => node),
    refusals,
  );
  return withTroubles(
    state,
    resources.flatMap((key) => troubles.get(key) ?? []),
  );
}

/** What all have taken and does not work all the same is not called programmed; a notice is only told. */
export function withTroubles(state: Programmed, troubles: readonly RefusedBy[]): Programmed {
  if (troubles.length === 0 || state.status !== 'True') return state;
  const faults = troubles.filter(({ notice }) => !notice);
  const told = faults.length > 0 ? faults : troubles;
  const texts = told.map(({ node, path, reason }) => `${path}: ${reason} (on ${node})`);
  const message = `${some([...new Set(texts)], '; ')}; ${state.message}`;
  if (faults.length === 0) return { ...state, message };
  return { ...state, status: 'False', reason: 'NotEnforced', message };
}

/** Undefined when the object is in the snapshot. */
export function notInUse({ conditions, resources }: ObjectStatus): Programmed | undefined {
  const type = 'Programmed';
  if (conditions.some(({ type, status }) => type === 'Accepted' && status !== 'True')) {
    return { type, status: 'False', reason: 'Invalid', message: 'not accepted' };
  }
  if (resources.length > 0) return undefined;
  return { type, status: 'False', reason: 'NoResources', message: 'nothing of it is in use' };
}

/** What follows for an object that is compiled from who still waits for it, and why. */
export function verdict(all: number, waiting: string[], refusals: string[]): Programmed {
  const type = 'Programmed';
  if (all === 0) {
    return { type, status: 'Unknown', reason: 'Pending', message: 'no data plane is connected' };
  }
  const count = `acknowledged by ${all - waiting.length} of ${all} data planes`;
  if (waiting.length === 0) return { type, status: 'True', reason: 'Programmed', message: count };
  if (refusals.length > 0) {
    const message = `${some([...new Set(refusals)], '; ')}; ${count}`;
    return { type, status: 'False', reason: 'Refused', message };
  }
  const message = `${count} (waiting for ${some(waiting, ', ')})`;
  return { type, status: 'False', reason: 'Pending', message };
}

/** Whether a data plane has the compiled content of a resource in use. */
function servedBy({ config, endpoints }: DataPlaneView, compiled: Compiled): Serves {
  const servesConfig = servedOn(config, compiled.config, compiled.configVersion);
  const servesEndpoints = servedOn(endpoints, compiled.endpoints, compiled.endpointsVersion);
  return (key) => (isEndpoints(key) ? servesEndpoints(key) : servesConfig(key));
}

function servedOn(lane: LaneView, compiled: ResourceSet, version: string): Serves {
  // The usual case: nothing has to be compared.
  if (lane.version === version) return () => true;
  return (key) => {
    const resource = compiled.get(key);
    return resource === undefined || lane.manifest.get(key) === hex(resource.hash);
  };
}

/** Updates that a data plane refused without naming a resource of the lane that could be held back. */
function wholeRefusals({ node, config, endpoints }: DataPlaneView, resources: Key[]): string[] {
  const lanes = [
    resources.some(isEndpoints) ? endpoints : undefined,
    resources.every(isEndpoints) ? undefined : config,
  ];
  return lanes.flatMap((lane) =>
    lane?.refused === undefined ? [] : [`${node} refused the update: ${lane.refused.reason}`],
  );
}

export function isEndpoints(key: Key): boolean {
  return laneOf(splitKey(key).kind) === Lane.ENDPOINTS;
}

export function refusalText({
  node,
  path,
  reason,
}: {
  node: string;
  path: string;
  reason: string;
}) {
  return `${path === '' ? '' : `${path}: `}${reason} (refused by ${node})`;
}

function some(texts: string[], separator: string): string {
  const shown = texts.slice(0, most).join(separator);
  return texts.length > most ? `${shown} and ${texts.length - most} more` : shown;
}
