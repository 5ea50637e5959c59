import type { ObjectSummary, Summary } from '@gatehouse/controller';

/** The lines that changed since the last summary, e.g. `Route default/users: acknowledged by 2 of 2 data planes`. */
export function createStatusLines(): (summary: Summary) => string[] {
  let shown = new Map<string, string>();
  return ({ objects }) => {
    const next = new Map(objects.map((object) => [keyOf(object), textOf(object)]));
    const lines: string[] = [];
    for (const [key, text] of next) if (shown.get(key) !== text) lines.push(`${key}: ${text}`);
    for (const key of shown.keys()) if (!next.has(key)) lines.push(`${key}: removed`);
    shown = next;
    return lines;
  };
}

function keyOf({ kind, namespace, name }: ObjectSummary): string {
  return `${kind} ${namespace}/${name}`;
}

function textOf({ accepted, programmed, message }: ObjectSummary): string {
  if (!accepted) return `not accepted: ${message}`;
  return programmed ? message : `not programmed: ${message}`;
}
