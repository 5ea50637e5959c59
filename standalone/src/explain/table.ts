/** A heading, padded to a column, and the lines behind and below it. */
export type Section = { heading: string; lines: string[] };

const column = 12;

export function section(heading: string, [first = '', ...rest]: readonly string[]): Section {
  const padding = ' '.repeat(Math.max(1, column - heading.length));
  return {
    heading,
    lines: [`${padding}${first}`, ...rest.map((line) => `${' '.repeat(column)}${line}`)],
  };
}

/** Rows with aligned columns, two spaces apart; the last one is not padded. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) {
      if (index < row.length - 1) widths[index] = Math.max(widths[index] ?? 0, cell.length);
    }
  }
  return rows.map((row) =>
    row
      .map((cell, index) => (index < row.length - 1 ? cell.padEnd(widths[index] ?? 0) : cell))
      .join('  ')
      .trimEnd(),
  );
}

const longest = 100;

/** Plain data in one line, without quotes: for people to recognise, not to parse. */
export function inline(value: unknown): string {
  const text = flow(value);
  return text.length > longest ? `${text.slice(0, longest - 3)}...` : text;
}

function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value).replace(/\s+/g, ' ');
  const fields = Object.entries(value).map(([name, field]) => `${name}: ${flow(field)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}
