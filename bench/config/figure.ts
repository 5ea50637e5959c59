/** Something that was measured, and how far it may go. */
export type Figure = {
  name: string;
  value: number;
  unit: string;
  /** The most that is good; undefined: told for information. */
  bar?: number;
};

export function isMissed({ value, bar }: Figure): boolean {
  return bar !== undefined && !(value <= bar);
}

/** One line for people. */
export function lineOf(figure: Figure): string {
  const { name, value, unit, bar } = figure;
  const judged =
    bar === undefined ? '' : `  bar ${bar} ${unit}  ${isMissed(figure) ? 'MISSED' : 'ok'}`;
  return `${name.padEnd(74)} ${`${textOf(value)} ${unit}`.padStart(14)}${judged}`;
}

export function textOf(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

/** The value that a share of all does not exceed; NaN for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
