import { now } from '../../../state/clock.ts';

/** Something that is fetched when it is needed, and again from time to time. */
export type Refreshed<T> = {
  /** @throws Error of the last fetch when there never was a good one */
  get(): Promise<T>;
  /** Fetches it now. @throws Error */
  renew(): Promise<T>;
};

/**
 * The last good value survives failures.
 * @param timing milliseconds: `good` until it is fetched again, `retry` after a failure
 */
export function createRefreshed<T>(
  timing: { good: number; retry: number },
  fetch: () => Promise<T>,
): Refreshed<T> {
  let value: { of: T } | undefined;
  let failure: unknown;
  let next = Number.NEGATIVE_INFINITY;
  let fetching: Promise<T> | undefined;

  function renew(): Promise<T> {
    fetching ??= fetch()
      .then(
        (fetched) => {
          value = { of: fetched };
          next = now() + timing.good;
          return fetched;
        },
        (error: unknown) => {
          failure = error;
          next = now() + timing.retry;
          throw error;
        },
      )
      .finally(() => {
        fetching = undefined;
      });
    return fetching;
  }

  return {
    renew,
    async get() {
      if (now() < next) {
        if (value) return value.of;
        throw failure;
      }
      const renewed = renew();
      return value ? renewed.catch(() => value?.of ?? renewed) : renewed;
    },
  };
}
