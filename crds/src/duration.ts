import { durationPattern } from './schema/fields.ts';

const wellFormed = new RegExp(durationPattern);
const part = /(\d+)(h|ms|m|s)/g;
const unitMs: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** The longest time a Node timer can wait (2^31 - 1 ms, over 24 days); what exceeds it means this. */
export const longestDuration = 2 ** 31 - 1;

/**
 * Milliseconds of a duration such as "1m30s" (GEP-2257), at most `longestDuration`.
 * @throws RangeError when the text is not such a duration; text that passed validation always is.
 */
export function parseDuration(text: string): number {
  if (!wellFormed.test(text)) {
    throw new RangeError(
      `Cannot parse duration "${text}": expected e.g. "30s", "1m30s" or "250ms"`,
    );
  }
  let total = 0;
  for (const [, amount, unit] of text.matchAll(part)) {
    total += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  }
  return Math.min(total, longestDuration);
}
