/** Work that is asked for more often than it has to be done. */
export interface Coalesced {
  /** Does it soon, once for all who ask meanwhile. */
  soon(): void;
  /** Does it at once if somebody asked and it was not done since. */
  flush(): void;
  stop(): void;
}

/**
 * Does `work` after the present turn of the event loop, and not again before `interval`
 * milliseconds have passed.
 */
export function coalesce(work: () => void, interval: number): Coalesced {
  let timer: NodeJS.Timeout | undefined;
  let last = Number.NEGATIVE_INFINITY;
  const flush = () => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    last = performance.now();
    work();
  };
  return {
    soon() {
      timer ??= setTimeout(flush, Math.max(0, last + interval - performance.now()));
    },
    flush,
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
