import type { Compiled } from '../compile/index.ts';
import type { FleetView } from '../push/fleet.ts';
import type { FleetStatus } from './programmed.ts';

/** The state of an object in few words. */
export type ObjectSummary = {
  kind: string;
  namespace: string;
  name: string;
  generation: number;
  accepted: boolean;
  programmed: boolean;
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
    objects: statuses.map(summarise),
  };
}

function summarise({ kind, namespace, name, generation, conditions }: FleetStatus): ObjectSummary {
  const isTrue = (type: string) =>
    conditions.some((condition) => condition.type === type && condition.status === 'True');
  const shown = conditions.find(({ status }) => status !== 'True') ?? conditions.at(-1);
  return {
    kind,
    namespace,
    name,
    generation,
    accepted: isTrue('Accepted'),
    programmed: isTrue('Programmed'),
    message: shown?.message ?? '',
  };
}
