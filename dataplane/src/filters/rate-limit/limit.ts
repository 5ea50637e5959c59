import { hash as digest } from 'node:crypto';
import {
  type CompiledExpression,
  compileExpression,
  type ExpressionSource,
  type ExpressionType,
  type Limit,
  parseDuration,
} from '@gatehouse/crds';
import type { Exchange } from '../../exchange/exchange.ts';
import { expressionSource } from '../expression-source.ts';
import { type Identity, LinkFault, type RuleInForce } from '../filter.ts';
import type { AdaptiveLimit } from './adaptive/adaptive-limits.ts';
import {
  type Algorithm,
  concurrency,
  fixedWindow,
  slidingWindow,
  tokenBucket,
} from './algorithms.ts';
import { addressKey } from './client-address.ts';
import type { HashState, KeyedHash } from './keyed-hash.ts';
import type { KeyedDemand } from './redis/answer.ts';
import type { FailureMode, RedisPlace } from './redis/place.ts';
import { letters } from './redis/script.ts';
import type { RedisStore } from './redis/store.ts';

const algorithms: Record<NonNullable<Limit['algorithm']>, Algorithm> = {
  TokenBucket: tokenBucket,
  SlidingWindow: slidingWindow,
  FixedWindow: fixedWindow,
};

/** A limit that counts a request, with what it asks for. */
export type Counted = {
  rule: RuleInForce;
  /** One a rate, or one for concurrency. */
  demands: readonly KeyedDemand[];
  /** True when what it takes is given back at the end. */
  concurrent: boolean;
  /** Clients are not told of it. */
  silent: boolean;
  /** Undefined: the counters are those of the data plane. */
  remote: RemoteCounters | undefined;
};

/** Counters in Redis. */
export type RemoteCounters = {
  /** Undefined: it cannot be asked. */
  store: RedisStore | undefined;
  /** What the keys of one policy and target start with; it has their hash tag. */
  tag: string;
  failureMode: FailureMode;
};

/** Where the limits of a policy are counted. */
export type LimitPlace = {
  /** Each data plane has a share of the limit. */
  shared: boolean;
  silent: boolean;
  redis: RedisPlace | undefined;
};

/** A limit, ready to be asked for. Its demands are filled in for each request. */
export type LinkedLimit = Counted & {
  shared: boolean;
  /** Undefined: it keeps its size. */
  adaptive: AdaptiveLimit | undefined;
  /** From 0 to 1: how far the request is spared when the limit shrinks; after `prepare`. */
  priority: number;
  /** What the demands ask for where nobody else counts to the same limit. */
  whole: readonly { limit: number; burst: number }[];
  /** Fills in the demands; false when the limit does not count the request. */
  prepare(exchange: Exchange, identity: Identity | undefined): boolean;
};

/** @throws LinkFault when an expression is not sound. */
export function linkLimit(rule: RuleInForce, place: LimitPlace, hash: KeyedHash): LinkedLimit {
  const config = rule.config as Limit;
  const path = `limits[${rule.name}]`;
  const compiled = (text: string, type: ExpressionType, at: string): CompiledExpression => {
    try {
      return compileExpression(text, type, 'identity');
    } catch (error) {
      throw new LinkFault(`${path}.${at}`, error instanceof Error ? error.message : String(error));
    }
  };
  const when = config.when === undefined ? undefined : compiled(config.when, 'bool', 'when');
  const cost = config.cost === undefined ? undefined : compiled(config.cost, 'number', 'cost');
  const priority =
    config.adaptive?.priority === undefined
      ? undefined
      : compiled(config.adaptive.priority, 'number', 'adaptive.priority');
  const counters = config.counters?.map((text, i) => compiled(text, 'header', `counters[${i}]`));
  const demands = demandsOf(config);
  const prefix = prefixOf(rule, hash);
  const concurrent = config.concurrency !== undefined;
  // Requests under way are those of a data plane: Redis could not tell when one of them is gone.
  const remote = concurrent ? undefined : place.redis && remoteCounters(rule, place.redis);
  const keys = demands.map(({ algorithm }, i) => {
    return `${remote?.tag}:${rule.name}:${letters[algorithm.name]}${i}:`;
  });

  return {
    rule,
    demands,
    whole: demands.map(({ limit, burst }) => ({ limit, burst })),
    concurrent,
    silent: place.silent,
    shared: place.shared,
    remote,
    adaptive: config.adaptive && adaptiveLimit(rule, config.adaptive),
    priority: 0,
    prepare(exchange, identity) {
      const source = expressionSource(exchange, identity);
      if (when && !holds(when, source)) return false;
      hash.resume(prefix);
      let values = '';
      if (counters) {
        for (const counter of counters) {
          const value = counterValue(counter, source);
          hash.add(value);
          if (remote) values += `${value.length}:${value}`;
        }
      } else {
        values = defaultCounter(exchange, identity);
        hash.add(values);
      }
      hash.finish();
      const { high, low } = hash;
      const amount = cost ? numberOf(cost, source, 1) : 1;
      if (priority) this.priority = Math.min(1, numberOf(priority, source, 0));
      const suffix = remote ? digestOf(values) : '';
      for (let i = 0; i < demands.length; i++) {
        const demand = demands[i];
        if (!demand) continue;
        demand.high = high;
        demand.low = (low + Math.imul(i, 0x9e3779b1)) | 0;
        demand.cost = amount;
        if (remote) demand.key = `${keys[i]}${suffix}`;
      }
      return true;
    },
  };
}

function remoteCounters(
  { policy, target }: RuleInForce,
  { store, keyPrefix, failureMode }: RedisPlace,
): RemoteCounters {
  return { store, tag: `${keyPrefix}:{${policy}@${target}}`, failureMode };
}

/** Values are not to be read in Redis, and may be long. 128 bits: nobody finds two that meet. */
function digestOf(values: string): string {
  return digest('sha256', values, 'base64url').slice(0, 22);
}

function demandsOf(config: Limit): KeyedDemand[] {
  const empty = {
    key: '',
    cost: 1,
    high: 0,
    low: 0,
    allowed: false,
    remaining: 0,
    resetAfter: 0,
    retryAfter: 0,
  };
  if (config.concurrency !== undefined) {
    const limit = config.concurrency;
    return [{ ...empty, algorithm: concurrency, limit, window: 0, burst: limit }];
  }
  const algorithm = algorithms[config.algorithm ?? 'TokenBucket'];
  return (config.rates ?? []).map(({ limit, window }) => ({
    ...empty,
    algorithm,
    limit,
    window: parseDuration(window),
    burst: config.burst ?? limit,
  }));
}

/** One counter for each policy, limit and target. */
function prefixOf({ policy, name, target }: RuleInForce, hash: KeyedHash): HashState {
  hash.begin();
  for (const part of [policy, name, target]) hash.add(part);
  return hash.save();
}

/** A condition without a value holds: a limit does not end where it cannot be told. */
function holds(when: CompiledExpression, source: ExpressionSource): boolean {
  try {
    return when.evaluate(source) === true;
  } catch {
    return true;
  }
}

/** Requests without a value are counted together. */
function counterValue(counter: CompiledExpression, source: ExpressionSource): string {
  try {
    const value = counter.evaluate(source);
    return Array.isArray(value) ? value.join('\u0000') : String(value);
  } catch {
    return '';
  }
}

/** A number that is not negative; `otherwise` where there is none. */
function numberOf(
  expression: CompiledExpression,
  source: ExpressionSource,
  otherwise: number,
): number {
  try {
    const value = Number(expression.evaluate(source));
    return Number.isFinite(value) ? Math.max(0, value) : otherwise;
  } catch {
    return otherwise;
  }
}

function adaptiveLimit(
  { policy, name }: RuleInForce,
  { minimum = 10, errors = 20, latency = 300 }: NonNullable<Limit['adaptive']>,
): AdaptiveLimit {
  const settings = {
    minimum: minimum / 100,
    errors: errors / 100,
    latency: latency === 0 ? Number.POSITIVE_INFINITY : latency / 100,
  };
  return { policy, name, settings };
}

/** The user where there is one, else the address; told apart, so that nobody is named as an address. */
function defaultCounter(exchange: Exchange, identity: Identity | undefined): string {
  if (identity && identity.id !== '') return `user ${identity.id}`;
  return `address ${addressKey(exchange.clientAddress)}`;
}
