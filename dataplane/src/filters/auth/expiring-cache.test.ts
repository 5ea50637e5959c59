import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createExpiringCache } from './expiring-cache.ts';

it('gives what was set last until its time is over', () => {
  const cache = createExpiringCache<number>(2);
  cache.set('a', 1, 10);
  cache.set('a', 2, 20);
  expect(cache.get('a', 19)).toBe(2);
  expect(cache.get('a', 20)).toBeUndefined();
  expect(cache.get('a', 0)).toBeUndefined();
});

it('lets go of what was not used for the longest time', () => {
  const cache = createExpiringCache<number>(2);
  cache.set('a', 1, 9);
  cache.set('b', 2, 9);
  cache.get('a', 0);
  cache.set('c', 3, 9);
  expect(['a', 'b', 'c'].map((key) => cache.get(key, 0))).toEqual([1, undefined, 3]);
});

it('never holds more than it may, and never what is over', () => {
  const step = fc.record({ key: fc.constantFrom(...'abcdef'), until: fc.nat(20), at: fc.nat(20) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step), (most, steps) => {
      const cache = createExpiringCache<number>(most);
      for (const { key, until, at } of steps) {
        cache.set(key, until, until);
        expect(cache.size).toBeLessThanOrEqual(most);
        expect(cache.get(key, at)).toBe(at < until ? until : undefined);
      }
    }),
  );
});
