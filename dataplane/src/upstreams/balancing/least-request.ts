import { type Algorithm, realChance } from './balancer.ts';
import { createDraw } from './weighted-draw.ts';

/**
 * The less busy of two that are drawn by weight (Mitzenmacher, The Power of Two Choices in Randomized
 * Load Balancing). How busy one is, is relative to its weight; of two that are equally busy the first is
 * taken, so an idle upstream is shared by weight as well.
 */
export const leastRequest: Algorithm = {
  byKey: false,
  byLatency: false,
  create(candidates, chance = realChance) {
    const draw = createDraw(candidates);
    return {
      pick() {
        const first = draw.one(chance.random());
        const one = candidates[first];
        const other = candidates[draw.other(first, chance.random())];
        if (!one || !other) return one;
        return other.active * one.share < one.active * other.share ? other : one;
      },
    };
  },
};
