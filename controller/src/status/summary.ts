import { hex } from '@gatehouse/snapshot';
import type { Compiled } from '../compile/index.ts';
import type { FleetView } from '../push/fleet.ts';
import type { FleetStatus, Programmed } from './programmed.ts';

/** The state of an object in few words. */
export type ObjectSummary = {
  kind: string;
  namespace: string;
  name: string;
  generation: number;
  /** Changes with what is compiled of the object; files have no generations. */
  content: string;
  accepted: boolean;
  programmed: boolean;
  /** Of the condition Programmed. */
  reason: Programmed['reason'];
  /** Of the first condition that is not True; else of Programmed. */
  message: string;
};

export type Summary = {
  configVersion: string;
  endpointsVersion: string;
  dataPlanes: number;
  objects: ObjectSummary[];
};

export function summaryOf(compiled: Compiled, fleet: FleetView, statuses: FleetStatus[]): Summary {
  return {
    configVersion: compiled.configVersion,
    endpointsVersion: compiled.endpointsVersion,
    dataPlanes: fleet.dataPlanes.length,
    objects: statuses.map((status) => summarise(status, compiled)),
  };
}

function summarise(status: FleetStatus, compiled: Compiled): ObjectSummary {
  const { kind, namespace, name, generation, conditions } = status;
  const isTrue = (type: string) =>
    conditions.some((condition) => condition.type === type && condition.status === 'True');
  const shown = conditions.find(({ status }) => status !== 'True') ?? conditions.at(-1);
  return {
    kind,
    namespace,
    name,
    generation,
    content: contentOf(status, compiled),
    accepted: isTrue('Accepted'),
    programmed: isTrue('Programmed'),
    reason: conditions.find((condition) => condition.type === 'Programmed')?.reason ?? 'Pending',
    message: shown?.message ?? '',
  };
}

function contentOf({ resources }: FleetStatus, { config, endpoints }: Compiled): string {
  return resources
    .map((key) => config.get(key) ?? endpoints.get(key))
    .map((resource) => (resource === undefined ? '-' : hex(resource.hash).slice(0, 8)))
    .join('');
}

/** So many lines are written for one change, the rest is counted. */
const mostLines = 20;

/**
 * What a person wants to read: which objects came in use, or cannot. Objects that only wait are left
 * out; the next summary tells how that ended.
 */
export function changedLines(before: Summary | undefined, after: Summary): string[] {
  const states = new Map(before?.objects.map((object) => [idOf(object), stateOf(object)]));
  const changed = after.objects.filter(
    (object) => object.reason !== 'Pending' && states.get(idOf(object)) !== stateOf(object),
  );
  const lines = changed.slice(0, mostLines).map((object) => `${idOf(object)}: ${object.message}`);
  const left = changed.length - lines.length;
  return left > 0 ? [...lines, `and ${left} more objects`] : lines;
}

function idOf({ kind, namespace, name }: ObjectSummary): string {
  return `${kind} ${namespace}/${name}`;
}

/** The count of data planes in the message of a programmed object is no news. */
function stateOf({ reason, content, message, programmed }: ObjectSummary): string {
  return `${reason} ${content} ${programmed ? '' : message}`;
}
