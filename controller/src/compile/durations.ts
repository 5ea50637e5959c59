import { parseDuration } from '@gatehouse/crds';
import type { Report } from './status.ts';

/** Milliseconds of a GEP-2257 duration; what cannot be read is reported and counts as 0. */
export function milliseconds(text: string, path: string, report: Report): number {
  try {
    return parseDuration(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    report(path, error.message);
    return 0;
  }
}
