/** Waits that grow, each between half and the whole of its step, so that many do not retry at once. */
export interface Backoff {
  /** Milliseconds to wait before the next attempt. */
  next(): number;
  reset(): void;
}

/**
 * @param first milliseconds of the first step; each next one is twice as long.
 * @param most milliseconds of the longest.
 */
export function backoff(first: number, most: number, random = Math.random): Backoff {
  let step = first;
  return {
    next() {
      const wait = step * (0.5 + random() / 2);
      step = Math.min(step * 2, most);
      return wait;
    },
    reset() {
      step = first;
    },
  };
}

/** Resolves after so many milliseconds, or as soon as the signal is aborted. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}
