/** Changes to field lines, prepared when a snapshot is linked. Order of meaning: remove, set, add. */
export type Edits = {
  /** Lower-case names that are dropped from the original: removed ones and ones that are set. */
  drop: ReadonlySet<string>;
  /** Bit `length & 31` is set when some dropped name has that length. */
  lengths: number;
  /** Complete field lines to append, each ended by CRLF. */
  append: string;
};

export type HeaderChange = { name: string; value: string };
export type HeaderChanges = { add: HeaderChange[]; set: HeaderChange[]; remove: string[] };

export const noEdits: Edits = { drop: new Set(), lengths: 0, append: '' };

/** Prepares changes; later ones act on the result of earlier ones (a backend's after its rule's). */
export function prepareEdits(...changes: (HeaderChanges | undefined)[]): Edits {
  const drop = new Set<string>();
  let lines: HeaderChange[] = [];
  for (const change of changes) {
    if (!change) continue;
    for (const name of change.remove) drop.add(name.toLowerCase());
    for (const { name } of change.set) drop.add(name.toLowerCase());
    const gone = new Set([...change.remove, ...change.set.map((field) => field.name)].map(lower));
    lines = lines.filter((field) => !gone.has(lower(field.name)));
    lines.push(...change.set, ...change.add);
  }
  if (drop.size === 0 && lines.length === 0) return noEdits;
  let lengths = 0;
  for (const name of drop) lengths |= 1 << (name.length & 31);
  return {
    drop,
    lengths,
    append: lines.map(({ name, value }) => `${name}: ${value}\r\n`).join(''),
  };
}

function lower(name: string): string {
  return name.toLowerCase();
}

/** True when the field name `text[start, end)` is dropped by the edits. */
export function drops(edits: Edits, text: string, start: number, end: number): boolean {
  if ((edits.lengths & (1 << ((end - start) & 31))) === 0) return false;
  return edits.drop.has(text.slice(start, end).toLowerCase());
}

/** Removes from `lines` (our own field lines) those that the edits drop. */
export function withoutDropped(edits: Edits, lines: string): string {
  if (edits.lengths === 0) return lines;
  let kept = '';
  for (const line of lines.split('\r\n')) {
    if (line !== '' && !edits.drop.has(line.slice(0, line.indexOf(':')))) kept += `${line}\r\n`;
  }
  return kept;
}
