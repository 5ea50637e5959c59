/** Keeps a bounded number of values for a while. */
export type ExpiringCache<V> = {
  /** Undefined when there is none, or not any more. @param at milliseconds, any clock */
  get(key: string, at: number): V | undefined;
  /** @param until on the same clock */
  set(key: string, value: V, until: number): void;
  readonly size: number;
};

/** Beyond `most` values the one that was not used for the longest time goes. */
export function createExpiringCache<V>(most: number): ExpiringCache<V> {
  // A Map keeps the order of insertion: the first is the one unused for the longest time.
  const entries = new Map<string, { value: V; until: number }>();
  return {
    get(key, at) {
      const entry = entries.get(key);
      if (!entry) return undefined;
      entries.delete(key);
      if (at >= entry.until) return undefined;
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value, until) {
      entries.delete(key);
      entries.set(key, { value, until });
      if (entries.size <= most) return;
      for (const oldest of entries.keys()) {
        entries.delete(oldest);
        break;
      }
    },
    get size() {
      return entries.size;
    },
  };
}
