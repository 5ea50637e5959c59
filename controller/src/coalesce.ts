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
 * milliseconds have passed since its start. Work that takes long rests longer: it gets at most
 * `share` of the time (1: all of it).
 */
export function coalesce(work: () => void, interval: number, share = 1): Coalesced {
  let timer: NodeJS.Timeout | undefined;
  let earliest = Number.NEGATIVE_INFINITY;
  const flush = () => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    const start = performance.now();
    work();
    earliest = start + Math.max(interval, (performance.now() - start) / share);
  };
  return {
    soon() {
      timer ??= setTimeout(flush, Math.max(0, earliest - performance.now()));
    },
    flush,
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
