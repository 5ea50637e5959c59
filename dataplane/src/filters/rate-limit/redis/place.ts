import { type Counting, defaults } from '@gatehouse/crds';
import type { LinkContext, RuleInForce } from '../../filter.ts';
import { type RedisConfig, redisSettings } from './settings.ts';
import type { RedisStore } from './store.ts';

export type FailureMode = NonNullable<Counting['failureMode']>;

/** Where a policy counts that counts in Redis. */
export type RedisPlace = {
  /** Undefined while a Secret is missing that it takes. */
  store: RedisStore | undefined;
  /** What all keys start with. */
  keyPrefix: string;
  failureMode: FailureMode;
};

const meanwhile: Record<FailureMode, string> = {
  Open: 'its limits let everything through meanwhile (failureMode Open)',
  Closed: 'requests are answered by 503 meanwhile (failureMode Closed)',
  Local: 'each data plane counts by itself meanwhile (failureMode Local)',
};

/** Connects in the background, and tells as long as the policy is in force what is wrong. */
export function linkRedis(
  rule: RuleInForce,
  config: RedisConfig,
  failureMode: FailureMode,
  { thread, resource, secret, whileInForce }: LinkContext,
): RedisPlace {
  const namespace = rule.policy.slice(0, rule.policy.indexOf('/'));
  const settings = redisSettings(config, namespace, secret);
  const path = `counting[${rule.name}].redis`;
  const source = `${resource} ${path}`;
  const name = config.addresses.join(', ');
  const tell = (fault: string | undefined) => {
    const reason = `Cannot count in Redis "${name}": ${fault}; ${meanwhile[failureMode]}`;
    const trouble = { policy: resource, path, reason };
    thread.health.set(source, fault === undefined ? undefined : trouble);
  };
  const keyPrefix = config.keyPrefix ?? defaults.redisKeyPrefix;
  if ('missing' in settings) {
    whileInForce(source, () => {
      tell(settings.missing);
      return () => tell(undefined);
    });
    return { store: undefined, keyPrefix, failureMode };
  }
  const store = thread.redis.at(settings);
  whileInForce(source, () =>
    store.watch({ tell: (fault) => tell(fault === undefined ? undefined : `it ${fault}`) }),
  );
  return { store, keyPrefix, failureMode };
}
