import { setTimeout as pause } from 'node:timers/promises';

/**
 * Asks again and again until the answer is not undefined.
 * @param timeout milliseconds
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  timeout = 10_000,
): Promise<T> {
  const start = performance.now();
  while (true) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() - start > timeout) throw new Error(`${what}: not within ${timeout} ms`);
    await pause(5);
  }
}
