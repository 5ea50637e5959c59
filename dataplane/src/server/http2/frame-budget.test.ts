import { describe, expect, it } from 'vitest';
import { burst, FrameBudget } from './frame-budget.ts';

const second = 1000;

describe('a budget of frames', () => {
  it('lets a burst pass, and no byte more', () => {
    expect(new FrameBudget(0).settle(burst, 0, 0)).toBe(false);
    expect(new FrameBudget(0).settle(burst + 1, 0, 0)).toBe(true);
  });

  it('is filled again with time, and not beyond a burst', () => {
    const budget = new FrameBudget(0);
    expect(budget.settle(burst, 0, 0)).toBe(false);
    expect(budget.settle(burst + 10_000, 0, second)).toBe(false);
    expect(budget.settle(2 * burst + 10_000, 0, 3600 * second)).toBe(false);
    expect(budget.settle(2 * burst + 10_001, 0, 3600 * second)).toBe(true);
  });

  it.each<[string, (budget: FrameBudget) => void, read: number, written: number]>([
    ['heads', (budget) => budget.head(2 * burst), 3 * burst, 0],
    ['bodies', (budget) => budget.body(burst), 10 * burst, 0],
    ['bodies that nobody waits for any more', (budget) => budget.unread(burst), 2 * burst, 0],
    ['responses', () => undefined, 4 * burst, burst],
  ])('%s pay for what comes', (_name, pay, read, written) => {
    const budget = new FrameBudget(0);
    pay(budget);
    expect(budget.settle(read, written, 0)).toBe(false);
    expect(new FrameBudget(0).settle(read, 0, 0)).toBe(true);
  });

  it('what is answered by itself is settled early, and its answers pay for nothing', () => {
    const budget = new FrameBudget(0);
    let count = 1;
    while (!budget.answered()) count++;
    expect(count).toBeLessThan(10_000);
    expect(budget.settle(17 * count, 17 * count, 0)).toBe(true);
  });
});
