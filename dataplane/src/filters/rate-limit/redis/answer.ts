import type { CounterDemand } from '../counter-table.ts';
import { letters, numbersPerKey } from './script.ts';

/** A demand with the key of its counter in Redis. */
export type KeyedDemand = CounterDemand & { key: string };

/** What the script is given for demands: keys, and values behind the first. */
export function questionOf(demands: readonly KeyedDemand[]): {
  keys: string[];
  values: (string | number)[];
} {
  return {
    keys: demands.map(({ key }) => key),
    values: demands.flatMap(({ algorithm, limit, window, burst, cost }) => [
      letters[algorithm.name] ?? '',
      limit,
      window * 1000,
      burst,
      cost,
    ]),
  };
}

/** Whether all was taken, and when by the clock of Redis, in its own unit. */
export type Taken = { allowed: boolean; at: number };

/**
 * Fills what the script answers into its demands.
 * @throws Error when it is not what the script returns.
 */
export function readAnswer(answer: unknown, demands: readonly KeyedDemand[]): Taken {
  const numbers = numbersIn(answer);
  const [allowed, at] = numbers;
  if (numbers.length !== 2 + demands.length * numbersPerKey || at === undefined) {
    throw new Error('Cannot parse an answer: it has other numbers than the script returns');
  }
  for (const [i, demand] of demands.entries()) {
    const from = 2 + i * numbersPerKey;
    const [one, remaining = 0, reset = 0, retry = 0] = numbers.slice(from, from + numbersPerKey);
    demand.allowed = one === 1;
    demand.remaining = remaining;
    demand.resetAfter = reset / 1000;
    demand.retryAfter = retry < 0 ? Number.POSITIVE_INFINITY : retry / 1000;
  }
  return { allowed: allowed === 1, at };
}

function numbersIn(answer: unknown): number[] {
  if (!Array.isArray(answer)) throw new Error('Cannot parse an answer: it is no list');
  return answer.map((item: unknown) => {
    if (!Number.isSafeInteger(item))
      throw new Error('Cannot parse an answer: it is not of integers');
    return Number(item);
  });
}
