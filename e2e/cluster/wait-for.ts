import { setTimeout as pause } from 'node:timers/promises';

export type WaitOptions = {
  /** Milliseconds until it is given up. Default: 60,000. */
  timeout?: number;
  /** Milliseconds between two looks. Default: 100. */
  interval?: number;
};

/**
 * Looks again and again until `look` returns something other than undefined or false, and returns it.
 * @throws Error that says what was waited for, with the last error of `look`
 */
export async function waitFor<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { timeout = 60_000, interval = 100 }: WaitOptions = {},
): Promise<T> {
  const end = performance.now() + timeout;
  for (;;) {
    let problem = '';
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      problem = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (performance.now() > end) {
      throw new Error(`Cannot wait any longer for ${what}: ${timeout} ms have passed${problem}`);
    }
    await pause(interval);
  }
}
