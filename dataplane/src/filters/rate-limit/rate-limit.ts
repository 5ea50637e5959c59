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
import type { AdaptiveLimit, AdaptiveLimits } from './adaptive/adaptive-limits.ts';
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
  readonly #adaptive: AdaptiveLimits;

  constructor(rules: readonly RuleInForce[], context: LinkContext) {
    const { counters, adaptive } = context.thread;
    const places = placesByPolicy(rules, context);
    this.#limits = rules
      .filter(({ block }) => block === 'limits')
      .map((rule) => linkLimit(rule, places.get(rule.policy) ?? here, counters.hash));
    this.#counters = counters;
    this.#adaptive = adaptive;
    for (const limit of this.#limits)
      if (limit.adaptive) watch(limit.rule, limit.adaptive, context);
  }

  onRequest(exchange: Exchange, effects: Effects): Outcome | Promise<Outcome> {
    const counted: LinkedLimit[] = [];
    const demands: CounterDemand[] = [];
    let remote = false;
    let adaptive: AdaptiveLimit[] | undefined;
    for (const limit of this.#limits) {
      if (!limit.prepare(exchange, effects.identity ?? exchange.identity)) continue;
      if (limit.shared || limit.adaptive) this.#size(limit, exchange);
      if (limit.adaptive) {
        adaptive ??= [];
        adaptive.push(limit.adaptive);
      }
      counted.push(limit);
      remote ||= limit.remote !== undefined;
      for (const demand of limit.demands) demands.push(demand);
    }
    if (demands.length === 0) return undefined;
    if (adaptive) this.#measure(adaptive, effects);
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

  /** What the limit is now, for this request: its share of the whole, and what is left of that. */
  #size({ demands, whole, shared, adaptive, priority }: LinkedLimit, exchange: Exchange): void {
    const replicas = shared ? this.#counters.replicas : 1;
    const left = adaptive ? this.#adaptive.factorFor(adaptive, exchange.rule) : 1;
    const factor = left + (1 - left) * priority;
    for (const [i, demand] of demands.entries()) {
      const limit = Math.ceil((whole[i]?.limit ?? 0) / replicas);
      const burst = Math.ceil((whole[i]?.burst ?? 0) / replicas);
      demand.limit = factor === 1 ? limit : shrunk(limit, factor);
      // Less of the bucket as well: so the rest of it is for those that are to be shed later.
      demand.burst = factor === 1 ? burst : Math.max(1, shrunk(burst, factor * factor));
    }
  }

  #measure(limits: readonly AdaptiveLimit[], effects: Effects): void {
    const at = now();
    effects.atEnd = [
      ...(effects.atEnd ?? []),
      (exchange) => this.#adaptive.ended(limits, exchange, at),
    ];
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

/** A limit that lets something through goes on letting something through. */
function shrunk(size: number, factor: number): number {
  return size === 0 ? 0 : Math.max(1, Math.floor(size * factor));
}

function watch(
  { name, policy }: RuleInForce,
  limit: AdaptiveLimit,
  { thread, resource, whileInForce }: LinkContext,
): void {
  const path = `limits[${name}].adaptive`;
  const source = `${resource} ${policy} ${path}`;
  whileInForce(source, () =>
    thread.adaptive.watch(limit, {
      tell(reason) {
        const notice = { policy: resource, path, reason: reason ?? '', notice: true };
        thread.health.set(source, reason === undefined ? undefined : notice);
      },
    }),
  );
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
