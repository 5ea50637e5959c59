import type { ObjectSummary } from '@gatehouse/controller';
import type { StatusMessage } from './children.ts';

/** So many objects are listed at the start, the rest is counted. */
const most = 20;

/**
 * The lines to show for a status, e.g. `Route default/users: acknowledged by 2 of 2 data planes`: all
 * objects once every data plane is connected, then what changes.
 */
export function createStatusLines(dataPlanes: number): (status: StatusMessage) => string[] {
  let known: Set<string> | undefined;
  return ({ dataPlanes: connected, objects, lines }) => {
    if (known === undefined && connected < dataPlanes) return [];
    const ids = new Set(objects.map(idOf));
    const gone = known?.difference(ids) ?? new Set();
    const shown = known === undefined ? listed(objects) : lines;
    known = ids;
    return [...shown, ...Array.from(gone, (id) => `${id}: removed`)];
  };
}

/** What still waits is told when it is settled. */
function listed(objects: ObjectSummary[]): string[] {
  const settled = objects.filter(({ reason }) => reason !== 'Pending');
  const lines = settled.slice(0, most).map((object) => `${idOf(object)}: ${object.message}`);
  const left = settled.length - lines.length;
  return left > 0 ? [...lines, `and ${left} more objects`] : lines;
}

function idOf({ kind, namespace, name }: ObjectSummary): string {
  return `${kind} ${namespace}/${name}`;
}
