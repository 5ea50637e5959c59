import { expect, test } from 'vitest';
import { defaultBackOff, delayOf, pause } from './back-off.ts';

test.each([
  [0, 0, 50],
  [0, 1, 100],
  [1, 1, 200],
  [5, 1, 3200],
  [6, 0, 2500],
  [6, 1, 5000],
  [1e9, 1, 5000],
])('attempt %i with random %f waits %i ms', (attempt, random, expected) => {
  expect(delayOf(attempt, defaultBackOff, () => random)).toBe(expected);
});

test('a pause ends at once when it is aborted, before or during', async () => {
  await pause(60_000, AbortSignal.abort());
  const abort = new AbortController();
  const paused = pause(60_000, abort.signal);
  abort.abort();
  await paused;
});
