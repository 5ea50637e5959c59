import { expect, test } from 'vitest';
import { isMissed, lineOf, quantile, textOf } from './figure.ts';

test.each([
  [59.9, 60, false],
  [60, 60, false],
  [60.1, 60, true],
  [Number.NaN, 60, true],
  [1e9, undefined, false],
])('%d of %s', (value, bar, missed) => {
  expect(isMissed({ name: 'a', value, unit: 'ms', ...(bar !== undefined && { bar }) })).toBe(
    missed,
  );
});

test('a line has value, unit, bar and what follows', () => {
  const line = lineOf({ name: 'p95', value: 301.234, unit: 'ms', bar: 300 });
  expect(line.replaceAll(/ +/g, ' ')).toBe('p95 301 ms bar 300 ms MISSED');
  expect(lineOf({ name: 'n', value: 7, unit: '/s' }).replaceAll(/ +/g, ' ')).toBe('n 7 /s');
});

test.each([
  [1234.5, '1235'],
  [12.345, '12.3'],
  [0.12345, '0.123'],
  [Number.NaN, 'NaN'],
])('%d is printed as %s', (value, text) => expect(textOf(value)).toBe(text));

test('quantiles', () => {
  const values = [5, 1, 4, 2, 3];
  expect([0.5, 0.95, 1, 0.01].map((share) => quantile(values, share))).toEqual([3, 5, 5, 1]);
  expect(quantile([], 0.5)).toBeNaN();
});
