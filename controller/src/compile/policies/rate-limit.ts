import {
  type Counting,
  type Limit,
  parseDuration,
  type RateLimitPolicySpec,
} from '@gatehouse/crds';
import type { PolicyContext } from './context.ts';
import type { CheckedPolicy, PolicyDefinition } from './policy.ts';
import { checkRedis } from './rate-limit/redis.ts';

type RateLimitFields = NonNullable<RateLimitPolicySpec['defaults']>;

/** Milliseconds. */
const shortestWindow = 1000;
const longestWindow = 576 * 3_600_000;

/** RateLimitPolicy: its blocks are limits, by name, and counting. */
export const rateLimit: PolicyDefinition<RateLimitFields> = {
  kind: 'RateLimitPolicy',
  // A policy with a mistake is left out: what Redis being gone means is its own failureMode.
  failsClosed: false,
  closing: [],
  whenScope: 'identity',
  rulesOf({ limits = {}, counting }, path, context) {
    const named = Object.entries(limits).sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, limit] of named) checkLimit(limit, `${path}.limits.${name}`, context);
    if (named.length === 0) context.report(`${path}.limits`, 'at least one limit must be given');
    if (counting?.redis) checkRedis(counting.redis, `${path}.counting.redis`, context);
    return [
      ...named.map(([name, config]) => ({ block: 'limits', name, config })),
      // By the name of the policy: each counts its own limits where it says.
      ...(counting ? [{ block: 'counting', name: context.policy, config: counting }] : []),
    ];
  },
  excludedPaths: () => [],
  guardedHeaders: () => [],
};

/** Whether limits of a policy are shared among data planes. */
export function sharesLimits({ kind, rules }: CheckedPolicy): boolean {
  return (
    kind === 'RateLimitPolicy' &&
    rules.some(
      ({ block, config }) => block === 'counting' && (config as Counting).store === 'Shared',
    )
  );
}

function checkLimit(
  { rates = [], counters = [], cost, when, adaptive }: Limit,
  path: string,
  context: PolicyContext,
): void {
  for (const [i, { window }] of rates.entries()) {
    const length = parseDuration(window);
    if (length < shortestWindow || length > longestWindow) {
      context.report(`${path}.rates[${i}].window`, `"${window}" must be from "1s" to "576h"`);
    }
  }
  for (const [i, counter] of counters.entries()) {
    context.expression(counter, 'header', 'identity', `${path}.counters[${i}]`);
  }
  if (cost !== undefined) context.expression(cost, 'number', 'identity', `${path}.cost`);
  if (when !== undefined) context.expression(when, 'bool', 'identity', `${path}.when`);
  if (adaptive?.priority !== undefined) {
    context.expression(adaptive.priority, 'number', 'identity', `${path}.adaptive.priority`);
  }
}
