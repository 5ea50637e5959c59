import { describe, expect, test } from 'vitest';
import { median, medianRatio, rotate } from './statistics.ts';

describe('median', () => {
  test.each([
    [[3], 3],
    [[5, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 100], 10],
    [[], Number.NaN],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });
});

describe('medianRatio', () => {
  test('pairs the rounds before it takes the median', () => {
    // Every round has the ratio 0.5, while the machine got twice as slow in the middle one.
    expect(medianRatio([50, 25, 50], [100, 50, 100])).toBe(0.5);
    // The medians are equal here, but the first was slower in two of three rounds.
    expect(medianRatio([90, 100, 130], [100, 125, 65])).toBe(0.9);
  });

  test('refuses measurements of different rounds', () => {
    expect(() => medianRatio([1, 2], [1])).toThrow('not of the same rounds');
  });
});

describe('rotate', () => {
  test('starts each round one further on', () => {
    const rounds = [0, 1, 2, 3].map((round) => rotate(['a', 'b', 'c'], round).join(''));
    expect(rounds).toEqual(['abc', 'bca', 'cab', 'abc']);
  });

  test('of nothing is nothing', () => {
    expect(rotate([], 3)).toEqual([]);
  });
});
