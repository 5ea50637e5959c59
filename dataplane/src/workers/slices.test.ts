import { expect, test } from 'vitest';
import { inSlices } from './slices.ts';

function* steps(count: number, done: number[]): Generator<void, string> {
  for (let step = 0; step < count; step++) {
    done.push(step);
    yield;
  }
  return 'whole';
}

test.each([
  ['a turn after each step that used the budget up', 0, 5],
  ['none while there is budget left', 10_000, 0],
])('the event loop gets %s', async (_, budget, turns) => {
  let counted = 0;
  let over = false;
  const count = () => {
    if (over) return;
    counted++;
    setImmediate(count);
  };
  const done: number[] = [];
  setImmediate(count);
  const result = inSlices(steps(5, done), budget).finally(() => {
    over = true;
  });
  expect(await result).toBe('whole');
  expect(done).toEqual([0, 1, 2, 3, 4]);
  expect(counted).toBe(turns);
});

test('an error of a step is that of the whole', async () => {
  // biome-ignore lint/correctness/useYield: it ends before.
  function* broken(): Generator<void, string> {
    throw new Error('broken');
  }
  await expect(inSlices(broken(), 0)).rejects.toThrow('broken');
});
