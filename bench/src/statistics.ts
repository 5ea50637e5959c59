/** The middle value, or the mean of the two middle ones; NaN for no values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  const lower = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/**
 * The median over rounds of the ratio within each round. The two measurements of a round are close in time, so what
 * slows the machine for a while slows both and cancels out; a ratio of medians would not have that.
 */
export function medianRatio(values: readonly number[], references: readonly number[]): number {
  if (values.length !== references.length)
    throw new Error('Cannot compare measurements: not of the same rounds');
  return median(values.map((value, round) => value / (references[round] ?? Number.NaN)));
}

/** Everything once per round, each round starting one further on, so that nobody always follows the same one. */
export function rotate<T>(items: readonly T[], round: number): T[] {
  const start = items.length === 0 ? 0 : round % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
