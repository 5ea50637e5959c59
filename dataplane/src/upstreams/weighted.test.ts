import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPicker } from './weighted.ts';

describe('the weighted picker', () => {
  it('gives nothing without weight', () => {
    expect(createPicker([])()).toBeUndefined();
    expect(createPicker([{ item: 'a', weight: 0 }])()).toBeUndefined();
  });

  it('spreads as nginx does: 5, 1, 1', () => {
    const pick = createPicker([
      { item: 'a', weight: 5 },
      { item: 'b', weight: 1 },
      { item: 'c', weight: 1 },
    ]);
    expect(Array.from({ length: 14 }, pick).join('')).toBe('aabacaaaabacaa');
  });

  it('rotates equal ones', () => {
    const pick = createPicker(['a', 'b', 'c'].map((item) => ({ item, weight: 7 })));
    expect(Array.from({ length: 7 }, pick).join('')).toBe('abcabca');
  });

  it('is exact over every cycle and never far off within one', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 8 }), (weights) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        if (total === 0) return;
        const pick = createPicker(weights.map((weight, item) => ({ item, weight })));
        const counts = weights.map(() => 0);
        for (let n = 1; n <= 3 * total; n++) {
          counts[pick()!]!++;
          if (n % total === 0)
            expect(counts).toEqual(weights.map((weight) => (weight * n) / total));
          weights.forEach((weight, i) => {
            expect(Math.abs(counts[i]! - (weight * n) / total)).toBeLessThan(weights.length);
          });
        }
      }),
    );
  });
});
