import fc from 'fast-check';
import { expect, it } from 'vitest';
import { queryValue } from './query.ts';

it.each([
  ['', 'a', undefined],
  ['a=1&b=2', 'b', '2'],
  ['a=1&a=2', 'a', '1'],
  ['a', 'a', ''],
  ['a=', 'a', ''],
  ['ab=1&a=2', 'a', '2'],
  ['a=b=c', 'a', 'b=c'],
  ['&&a=1&', 'a', '1'],
  ['a=1', '', undefined],
  ['=1', '', '1'],
  ['a=x+y%20z', 'a', 'x y z'],
  ['%61=1', 'a', '1'],
  ['a%zz=%z', 'a%zz', '%z'],
  ['?a=1', 'a', '1'],
  ['a=1&__proto__=2', '__proto__', '2'],
])('%j: %j', (query, name, value) => {
  expect(queryValue(query, name, {})).toBe(value);
});

it('reads as URLSearchParams does', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'b', '=', '&', '+', '%', '6', '1', 'é', '?', '#', '\ud800'),
    maxLength: 12,
  });
  const cell = {};
  fc.assert(
    fc.property(text, fc.oneof(text, fc.constantFrom('a', 'b', 'ab', '')), (query, name) => {
      const wanted = new URLSearchParams(query).get(name) ?? undefined;
      expect(queryValue(query, name, cell)).toBe(wanted);
    }),
    { numRuns: 2000 },
  );
});
