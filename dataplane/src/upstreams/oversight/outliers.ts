import type { Row } from '../../state/shared-table.ts';
import { EndpointWord } from '../shared/endpoint-row.ts';

export type SuccessRateSettings = {
  deviationPercent: number;
  minimumEndpoints: number;
  minimumRequests: number;
};

/**
 * Takes the counts of an interval, and tells which endpoints answered well much less often than the rest.
 * The rows are those of one upstream.
 */
export function takeOutliers(rows: readonly Row[], settings: SuccessRateSettings): Row[] {
  const rated: { row: Row; rate: number }[] = [];
  for (const row of rows) {
    const { words, at } = row;
    const requests = Atomics.exchange(words, at + EndpointWord.requests, 0);
    const successes = Atomics.exchange(words, at + EndpointWord.successes, 0);
    if (requests >= settings.minimumRequests) rated.push({ row, rate: successes / requests });
  }
  if (rated.length < settings.minimumEndpoints) return [];
  const mean = rated.reduce((sum, { rate }) => sum + rate, 0) / rated.length;
  const variance = rated.reduce((sum, { rate }) => sum + (rate - mean) ** 2, 0) / rated.length;
  const least = mean - (Math.sqrt(variance) * settings.deviationPercent) / 100;
  return rated.filter(({ rate }) => rate < least).map(({ row }) => row);
}
