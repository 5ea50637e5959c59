import type { Family } from '../../../telemetry/families.ts';
import { labelOf, type RedisSettings } from './settings.ts';
import { RedisStore } from './store.ts';

export const redisQuestions: Family = {
  name: 'gatehouse_rate_limit_redis_total',
  type: 'counter',
  help: 'Questions to Redis for rate limits, by address and outcome: answered, failed, unavailable (not asked, as it is gone) or spared (not asked, as the answer is known).',
};

/** Milliseconds for which a connection stays that no policy needs: one may be about to come into force. */
const unwatchedFor = 10_000;

/** The connections of a thread to Redis; one for each way to reach one, whoever needs it. */
export type RedisStores = {
  /** It is connected in the background. */
  at(settings: RedisSettings): RedisStore;
  close(): void;
};

/** @param open false: nobody is asked. */
export function createRedisStores(
  count: (family: string, labels: Readonly<Record<string, string>>) => void,
  open = true,
): RedisStores {
  const stores = new Map<string, RedisStore>();

  function forgetUnwatched() {
    for (const [id, store] of stores) {
      if (store.watched) continue;
      store.close();
      stores.delete(id);
    }
  }

  return {
    at(settings) {
      const known = stores.get(settings.id);
      if (known) return known;
      const redis = labelOf(settings);
      const store = new RedisStore(settings, (outcome) =>
        count(redisQuestions.name, { redis, outcome }),
      );
      if (open) {
        stores.set(settings.id, store);
        store.open();
        store.onUnwatched = () => setTimeout(forgetUnwatched, unwatchedFor).unref();
        store.onUnwatched();
      }
      return store;
    },
    close() {
      for (const store of stores.values()) store.close();
      stores.clear();
    },
  };
}
