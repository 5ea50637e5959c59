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
  ['a=b=c', 'a=b', undefined],
  ['a=1&b', 'a=1&b', undefined],
  ['a=1&__proto__=2', '__proto__', '2'],
])('%j: %j', (query, name, value) => {
  expect(queryValue(query, name, {})).toBe(value);
});

it('reads as URLSearchParams does', () => {
  const units = ['a', 'b', '=', '&', '+', '%', '6', '1', 'é', '?', '#'];
  const name = fc.string({ unit: fc.constantFrom(...units), maxLength: 4 });
  // Of a query it is not known whether it is well-formed text.
  const query = fc.string({ unit: fc.constantFrom(...units, '\ud800'), maxLength: 12 });
  const cell = {};
  fc.assert(
    fc.property(query, name, (query, name) => {
      const wanted = new URLSearchParams(query).get(name) ?? undefined;
      expect(queryValue(query, name, cell)).toBe(wanted);
    }),
    { numRuns: 3000 },
  );
});
