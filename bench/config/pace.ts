/** Does `work` for each item, so many at a time. */
export async function inParallel<T>(
  items: readonly T[],
  most: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const left = items.values();
  const lane = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: most }, lane));
}

/**
 * Does `work` so many times a second until stopped, whatever earlier ones take.
 * @throws out of `stop` what any of them threw.
 */
export function atRate(rate: number, work: (count: number) => Promise<unknown>) {
  const begin = performance.now();
  const running = new Set<Promise<unknown>>();
  let failure: unknown;
  let count = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - begin) / 1000) * rate);
    while (count < due) {
      const one = work(count++)
        .catch((error: unknown) => {
          failure ??= error;
        })
        .finally(() => running.delete(one));
      running.add(one);
    }
  }, 5);
  return {
    count: () => count,
    async stop() {
      clearInterval(timer);
      await Promise.all(running);
      if (failure !== undefined) throw failure;
    },
  };
}
