import type { KeyedDemand } from './answer.ts';

/** Keys that are remembered, and milliseconds after which Redis is asked again all the same. */
const mostKeys = 10_000;
const longest = 1000;

type Refusal = Pick<KeyedDemand, 'limit' | 'burst' | 'cost'> & {
  /** On the clock of `now()`. */
  until: number;
  retryAt: number;
  resetAt: number;
};

/**
 * Who was refused, and until when: whoever is far over a limit is answered without asking again. What
 * others take meanwhile can only make the wait longer; what they give back is found a second later.
 */
export class RefusedKeys {
  /** Oldest first. */
  readonly #refusals = new Map<string, Refusal>();

  remember({ key, limit, burst, cost, retryAfter, resetAfter }: KeyedDemand, now: number): void {
    const until = now + Math.min(retryAfter, longest);
    this.#refusals.delete(key);
    this.#refusals.set(key, {
      limit,
      burst,
      cost,
      until,
      retryAt: now + retryAfter,
      resetAt: now + resetAfter,
    });
    if (this.#refusals.size <= mostKeys) return;
    for (const oldest of this.#refusals.keys()) {
      this.#refusals.delete(oldest);
      break;
    }
  }

  /** Fills in the answer and returns true when the demand cannot be met yet. */
  refuses(demand: KeyedDemand, now: number): boolean {
    const known = this.#refusals.get(demand.key);
    if (known === undefined) return false;
    if (known.until <= now) {
      this.#refusals.delete(demand.key);
      return false;
    }
    // Of a smaller demand, or by another limit, nothing is known.
    const { limit, burst, cost } = known;
    if (demand.cost < cost || demand.limit > limit || demand.burst > burst) return false;
    demand.allowed = false;
    demand.remaining = 0;
    demand.retryAfter = known.retryAt - now;
    demand.resetAfter = Math.max(0, known.resetAt - now);
    return true;
  }
}
