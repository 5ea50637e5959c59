import type { Counting } from '@gatehouse/crds';
import type { Exchange } from '../../exchange/exchange.ts';
import { errorReply } from '../../http1/reply.ts';
import { now } from '../../state/clock.ts';
import type {
  Denial,
  Effects,
  Enforcer,
  FilterKind,
  LinkContext,
  Outcome,
  RuleInForce,
} from '../filter.ts';
import type { CounterDemand } from './counter-table.ts';
import type { Counters } from './counters.ts';
import { rateLimitFields, retryAfterField } from './fields.ts';
import { type LinkedLimit, linkLimit } from './limit.ts';

/** RateLimitPolicy: how many requests are let through. */
export const rateLimit: FilterKind = {
  kind: 'RateLimitPolicy',
  whenScope: 'identity',
  link: (rules, context) => new RateLimitEnforcer(rules, context),
};

class RateLimitEnforcer implements Enforcer {
  readonly #limits: readonly LinkedLimit[];
  readonly #counters: Counters;
  /** Limits of which each replica has a share. */
  readonly #shared: ReadonlySet<LinkedLimit>;
  readonly #silent: ReadonlySet<LinkedLimit>;

  constructor(rules: readonly RuleInForce[], { thread }: LinkContext) {
    const { counters } = thread;
    const counting = countingByPolicy(rules);
    const limits = rules
      .filter(({ block }) => block === 'limits')
      .map((rule) => linkLimit(rule, counters.hash));
    const where = (holds: (config: Counting) => boolean) =>
      new Set(limits.filter(({ rule }) => holds(counting.get(rule.policy) ?? {})));
    this.#limits = limits;
    this.#counters = counters;
    this.#shared = where(({ store }) => store === 'Shared');
    this.#silent = where(({ headers }) => headers === false);
  }

  onRequest(exchange: Exchange, effects: Effects): Outcome {
    const counted: LinkedLimit[] = [];
    const demands: CounterDemand[] = [];
    for (const limit of this.#limits) {
      if (!limit.prepare(exchange, effects.identity ?? exchange.identity)) continue;
      if (this.#shared.has(limit)) this.#takeShare(limit);
      counted.push(limit);
      for (const demand of limit.demands) demands.push(demand);
    }
    if (demands.length === 0) return undefined;
    const allowed = this.#counters.table.take(demands, now());
    const tightest = allowed ? leastLeft(demands) : longestWait(demands);
    if (allowed) this.#giveBackAtEnd(counted, effects);
    const told = counted.filter((limit) => !this.#silent.has(limit));
    if (told.length > 0) effects.responseFields += rateLimitFields(told, tightest);
    return allowed ? undefined : denial(counted, tightest);
  }

  #takeShare({ demands, whole }: LinkedLimit): void {
    const { replicas } = this.#counters;
    for (const [i, demand] of demands.entries()) {
      demand.limit = Math.ceil((whole[i]?.limit ?? 0) / replicas);
      demand.burst = Math.ceil((whole[i]?.burst ?? 0) / replicas);
    }
  }

  #giveBackAtEnd(counted: readonly LinkedLimit[], effects: Effects): void {
    for (const { concurrent, demands } of counted) {
      if (!concurrent) continue;
      const taken = demands.map((demand) => ({ ...demand }));
      const ended = () => {
        for (const demand of taken) this.#counters.table.giveBack(demand, now());
      };
      effects.atEnd = [...(effects.atEnd ?? []), ended];
    }
  }
}

/** Each policy says for its own limits where they are counted. */
function countingByPolicy(rules: readonly RuleInForce[]): ReadonlyMap<string, Counting> {
  return new Map(
    rules
      .filter(({ block }) => block === 'counting')
      .map(({ policy, config }) => [policy, config as Counting]),
  );
}

function leastLeft(demands: readonly CounterDemand[]): CounterDemand {
  return demands.reduce((least, one) => (one.remaining < least.remaining ? one : least));
}

function longestWait(demands: readonly CounterDemand[]): CounterDemand {
  return demands
    .filter(({ allowed }) => !allowed)
    .reduce((longest, one) => (one.retryAfter > longest.retryAfter ? one : longest));
}

function denial(counted: readonly LinkedLimit[], tightest: CounterDemand): Denial | undefined {
  const limit = counted.find(({ demands }) => demands.includes(tightest));
  if (!limit) return undefined;
  const reply = errorReply(429, 'Rate limit exceeded');
  return {
    kind: 'denied',
    reply: { ...reply, fields: reply.fields + retryAfterField(tightest) },
    rule: limit.rule,
    reason: `more than ${tightest.limit}${limit.concurrent ? ' at one time' : ` in ${tightest.window / 1000} s`}`,
  };
}
