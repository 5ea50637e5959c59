import { hash32, mixed } from '../../state/hash.ts';
import type { Algorithm } from './balancer.ts';

/** Points of a candidate for each unit of its weight: shares are exact to about 8 %. */
const pointsEach = 160;
/** Points of a ring, at most: with many candidates or large weights there are fewer for a unit. */
const mostPoints = 65_536;

/**
 * Consistent hashing (Karger et al.): each candidate has points on a ring, a key goes to the next one.
 * When a candidate goes only its keys move; a new one takes keys from others and moves none between them.
 */
export const ringHash: Algorithm = {
  byKey: true,
  byLatency: false,
  create(candidates) {
    let shares = 0;
    for (const { share } of candidates) shares += share;
    // Halved, not fitted to the sum: the points of those that stay are mostly the same after a change.
    let each = pointsEach;
    while (each * shares > mostPoints) each /= 2;
    // Hash and index in one number below 2^53: they sort as numbers.
    const points: number[] = [];
    for (const [index, { id, share }] of candidates.entries()) {
      const count = Math.max(1, Math.round(each * share));
      const base = hash32(id);
      for (let i = 0; i < count; i++) points.push(mixed(base + mixed(i + 1)) * 2 ** 17 + index);
    }
    const ring = Float64Array.from(points).sort();
    return {
      pick(key) {
        const at = mixed(key) * 2 ** 17;
        let low = 0;
        let high = ring.length;
        while (low < high) {
          const middle = (low + high) >> 1;
          if ((ring[middle] ?? 0) < at) low = middle + 1;
          else high = middle;
        }
        return candidates[(ring[low] ?? ring[0] ?? 0) % 2 ** 17];
      },
    };
  },
};
