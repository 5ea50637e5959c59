import { describe, expect, it } from 'vitest';
import { EndpointWord } from '../shared/endpoint-row.ts';
import { ownUpstreamTables } from '../shared/upstream-memory.ts';
import { takeOutliers } from './outliers.ts';

const settings = { deviationPercent: 190, minimumEndpoints: 3, minimumRequests: 100 };

function rowsOf(counts: [requests: number, successes: number][]) {
  const tables = ownUpstreamTables();
  return counts.map(([requests, successes], i) => {
    const row = tables.endpoints.claim(String(i));
    row.words[row.at + EndpointWord.requests] = requests;
    row.words[row.at + EndpointWord.successes] = successes;
    return row;
  });
}

describe('success rates', () => {
  const well: [number, number] = [100, 100];
  it.each<[string, [number, number][], Partial<typeof settings>, number[]]>([
    ['all alike', [well, well, well, well, well], {}, []],
    ['one far below', [well, well, well, well, [100, 50]], {}, [4]],
    [
      'all bad alike: it is not theirs',
      [
        [100, 0],
        [100, 0],
        [100, 0],
      ],
      {},
      [],
    ],
    ['too few endpoints', [well, [100, 0]], {}, []],
    ['too few requests of the bad one', [well, well, well, well, [99, 0]], {}, []],
    ['too few requests of the others', [[9, 9], [9, 9], well, [100, 0]], {}, []],
    ['a wider margin', [well, well, well, well, [100, 50]], { deviationPercent: 250 }, []],
    [
      'nothing asked',
      [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
      { minimumRequests: 1 },
      [],
    ],
  ])('%s', (_, counts, more, expected) => {
    const rows = rowsOf(counts);
    const outliers = takeOutliers(rows, { ...settings, ...more });
    expect(outliers.map((row) => rows.indexOf(row))).toEqual(expected);
    // An interval is judged by itself.
    expect(takeOutliers(rows, { ...settings, minimumRequests: 1 })).toEqual([]);
  });
});
