/** Waits between attempts: doubles from `first` to `most`, in milliseconds. */
export interface BackOff {
  first: number;
  most: number;
}

export const defaultBackOff: BackOff = { first: 100, most: 5000 };

/**
 * Milliseconds to wait before attempt number `attempt` (from 0), half of it random, so that a fleet
 * does not return in step after a controller restart.
 */
export function delayOf(attempt: number, { first, most }: BackOff, random = Math.random): number {
  const whole = Math.min(most, first * 2 ** Math.min(attempt, 30));
  return whole / 2 + (whole / 2) * random();
}

/** Resolves after `milliseconds`, at once when the signal aborts. Never rejects. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
