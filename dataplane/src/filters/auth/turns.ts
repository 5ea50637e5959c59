/** Lets a bounded number of things run at the same time, and a bounded number wait for it. */
export type Turns = {
  /** Undefined: too many wait already, and nothing is run. */
  take<T>(run: () => Promise<T>): Promise<T> | undefined;
};

/** @param limits `running` at least 1; `waiting` may be 0. */
export function createTurns({
  running: most,
  waiting: line,
}: {
  running: number;
  waiting: number;
}): Turns {
  let running = 0;
  const waiting: (() => void)[] = [];

  async function runNow<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } finally {
      // Whoever waits gets the place; so nobody overtakes.
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  }

  return {
    take(run) {
      if (running < most) {
        running++;
        return runNow(run);
      }
      if (waiting.length >= line) return undefined;
      return new Promise<void>((resolve) => waiting.push(resolve)).then(() => runNow(run));
    },
  };
}
