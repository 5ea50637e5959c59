import { type Algorithm, realChance } from './balancer.ts';
import { createDraw } from './weighted-draw.ts';

/** Each request by itself, in proportion to the weights. */
export const random: Algorithm = {
  byKey: false,
  byLatency: false,
  create(candidates, chance = realChance) {
    const draw = createDraw(candidates);
    return { pick: () => candidates[draw.one(chance.random())] };
  },
};
