import type { Counting } from '@gatehouse/crds';
import { defaults } from '@gatehouse/crds';
import type { Exchange } from '../../exchange/exchange.ts';
import { now } from '../../state/clock.ts';
import type {
  Effects,
  Enforcer,
  FilterKind,
  LinkContext,
  Outcome,
  RuleInForce,
} from '../filter.ts';
import type { CounterDemand } from './counter-table.ts';
import type { Counters } from './counters.ts';
import { type Counted, type LimitPlace, type LinkedLimit, linkLimit } from './limit.ts';
import { linkRedis } from './redis/place.ts';
import { takeRemotely } from './remote.ts';
import { refusal, tellAllowed } from './verdict.ts';

/** RateLimitPolicy: how many requests are let through. */
export const rateLimit: FilterKind = {
  kind: 'RateLimitPolicy',
  whenScope: 'identity',
  link: (rules, context) => new RateLimitEnforcer(rules, context),
};

class RateLimitEnforcer implements Enforcer {
  readonly #limits: readonly LinkedLimit[];
  readonly #counters: Counters;

  constructor(rules: readonly RuleInForce[], context: LinkContext) {
    const { counters } = context.thread;
    const places = placesByPolicy(rules, context);
    this.#limits = rules
      .filter(({ block }) => block === 'limits')
      .map((rule) => linkLimit(rule, places.get(rule.policy) ?? here, counters.hash));
    this.#counters = counters;
  }

  onRequest(exchange: Exchange, effects: Effects): Outcome | Promise<Outcome> {
    const counted: LinkedLimit[] = [];
    const demands: CounterDemand[] = [];
    let remote = false;
    for (const limit of this.#limits) {
      if (!limit.prepare(exchange, effects.identity ?? exchange.identity)) continue;
      if (limit.shared) this.#takeShare(limit);
      counted.push(limit);
      remote ||= limit.remote !== undefined;
      for (const demand of limit.demands) demands.push(demand);
    }
    if (demands.length === 0) return undefined;
    if (remote) {
      const own = counted.map(ofRequest);
      return takeRemotely(own, this.#counters, effects, (taken) =>
        this.#giveBackAtEnd(taken, effects),
      );
    }
    if (!this.#counters.table.take(demands, now())) return refusal(counted, effects);
    this.#giveBackAtEnd(counted, effects);
    tellAllowed(counted, effects);
    return undefined;
  }

  #takeShare({ demands, whole }: LinkedLimit): void {
    const { replicas } = this.#counters;
    for (const [i, demand] of demands.entries()) {
      demand.limit = Math.ceil((whole[i]?.limit ?? 0) / replicas);
      demand.burst = Math.ceil((whole[i]?.burst ?? 0) / replicas);
    }
  }

  #giveBackAtEnd(counted: readonly Counted[], effects: Effects): void {
    for (const { concurrent, demands } of counted) {
      if (!concurrent) continue;
      const { table, holdings } = this.#counters;
      const taken = demands.map((demand) => ({
        demand: { ...demand },
        entry: holdings.hold(demand),
      }));
      const ended = () => {
        for (const { demand, entry } of taken) {
          table.giveBack(demand, now());
          holdings.release(entry);
        }
      };
      effects.atEnd = [...(effects.atEnd ?? []), ended];
    }
  }
}

const here: LimitPlace = { shared: false, silent: false, redis: undefined };

/** Each policy says for its own limits where they are counted. */
function placesByPolicy(
  rules: readonly RuleInForce[],
  context: LinkContext,
): ReadonlyMap<string, LimitPlace> {
  const places = new Map<string, LimitPlace>();
  for (const rule of rules) {
    if (rule.block !== 'counting') continue;
    const { store, redis, headers, failureMode } = rule.config as Counting;
    places.set(rule.policy, {
      shared: store === 'Shared',
      silent: headers === false,
      redis: redis && linkRedis(rule, redis, failureMode ?? defaults.rateLimitFailureMode, context),
    });
  }
  return places;
}

/** What a request goes on with while others are judged. */
function ofRequest({ rule, demands, concurrent, silent, remote }: LinkedLimit): Counted {
  return { rule, demands: demands.map((demand) => ({ ...demand })), concurrent, silent, remote };
}
