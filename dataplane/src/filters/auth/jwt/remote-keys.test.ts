import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OutboundFault } from '../../outbound.ts';
import { backOffAfter, defaultTiming, type KeyWatcher, RemoteKeys } from './remote-keys.ts';
import { inline, newPair, setOf } from './testing.ts';

const minute = 60_000;
let answers: (string | Error)[];
let asked: number[];
let told: (string | undefined)[];
let outcomes: string[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  vi.spyOn(performance, 'now').mockImplementation(() => Date.now());
  [answers, asked, told, outcomes] = [[], [], [], []];
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Answers in turn; the last answer stays. */
async function fetchText(timeout: number): Promise<string> {
  asked.push(timeout);
  const answer = answers.length > 1 ? answers.shift() : answers[0];
  if (answer instanceof Error) throw answer;
  return answer ?? '';
}

const down = new OutboundFault('nobody listens');
const keysWith = (...texts: (string | Error)[]) => {
  answers = texts;
  return new RemoteKeys(fetchText, defaultTiming, (outcome) => outcomes.push(outcome));
};
const watcher = (more: Partial<KeyWatcher> = {}): KeyWatcher => ({
  refresh: 10 * minute,
  timeout: 5000,
  tell: (fault) => told.push(fault),
  ...more,
});
const settled = () => vi.advanceTimersByTimeAsync(0);

describe('keys that are needed', () => {
  it('are fetched at once, and again before the refresh has passed', async () => {
    const keys = keysWith(inline);
    keys.warm(1000);
    keys.warm(1000);
    const end = keys.watch(watcher());
    await settled();
    expect(asked).toEqual([1000]);
    await vi.advanceTimersByTimeAsync(9 * minute - 1);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(minute + 1);
    expect(asked).toEqual([1000, 5000]);
    expect(outcomes).toEqual(['fetched', 'fetched']);
    end();
  });

  it('are one object as long as the text is the same', async () => {
    const [, first] = [newPair(), newPair()];
    const keys = keysWith(inline, inline, setOf(['k', first.publicKey]));
    const end = keys.watch(watcher());
    await settled();
    const before = keys.keys;
    await vi.advanceTimersByTimeAsync(10 * minute);
    expect(keys.keys).toBe(before);
    await vi.advanceTimersByTimeAsync(10 * minute);
    expect(keys.keys).not.toBe(before);
    expect([...(keys.keys?.byKid.keys() ?? [])]).toEqual(['k']);
    end();
  });

  it('are fetched as often as the most demanding policy wants, by the most patient timeout', async () => {
    const keys = keysWith(inline);
    const first = keys.watch(watcher({ refresh: 10 * minute, timeout: 9000 }));
    const second = keys.watch(watcher({ refresh: minute, timeout: 1000 }));
    await settled();
    await vi.advanceTimersByTimeAsync(minute);
    expect(asked).toEqual([9000, 9000]);
    second();
    await vi.advanceTimersByTimeAsync(5 * minute);
    expect(asked).toHaveLength(2);
    first();
  });

  it('are not fetched any more when nobody needs them', async () => {
    const keys = keysWith(inline);
    const end = keys.watch(watcher());
    await settled();
    end();
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(60 * minute);
    expect(asked).toHaveLength(1);
    expect(keys.keys).toBeDefined();
  });

  it('are fetched on return when their time has come meanwhile', async () => {
    const keys = keysWith(inline);
    keys.watch(watcher())();
    keys.warm(1000);
    await settled();
    await vi.advanceTimersByTimeAsync(60 * minute);
    expect(asked).toHaveLength(1);
    const end = keys.watch(watcher());
    await settled();
    expect(asked).toHaveLength(2);
    end();
  });
});

describe('a failure', () => {
  it('is tried again after waits that double up to a minute, and told once a change', async () => {
    const keys = keysWith(down);
    const end = keys.watch(watcher());
    await settled();
    expect(told).toEqual(['nobody listens']);
    const waits = [];
    for (let i = 0; i < 12; i++) {
      const before = [asked.length, performance.now()] as const;
      while (asked.length === before[0]) await vi.advanceTimersByTimeAsync(50);
      waits.push(performance.now() - before[1]);
    }
    for (const [i, wait] of waits.entries()) {
      const whole = Math.min(60_000, 500 * 2 ** i);
      expect(wait).toBeGreaterThanOrEqual(whole / 2);
      expect(wait).toBeLessThanOrEqual(whole + 100);
    }
    answers = [inline];
    await vi.advanceTimersByTimeAsync(minute);
    expect(told.at(-1)).toBeUndefined();
    expect(keys.fault).toBeUndefined();
    end();
  });

  it('leaves the last good keys, and is no trouble to anybody', async () => {
    const keys = keysWith(inline, down);
    const end = keys.watch(watcher());
    await settled();
    const good = keys.keys;
    await vi.advanceTimersByTimeAsync(60 * minute);
    expect(keys.keys).toBe(good);
    expect(keys.fault).toBe('nobody listens');
    expect(told).not.toContain('nobody listens');
    expect(outcomes.filter((outcome) => outcome === 'failed').length).toBeGreaterThan(20);
    end();
  });

  it('is told to those who come later, and taken back from those who go', async () => {
    const keys = keysWith(down);
    keys.warm(1000);
    await settled();
    const end = keys.watch(watcher());
    expect(told).toEqual(['nobody listens']);
    end();
    expect(told).toEqual(['nobody listens', undefined]);
  });

  it.each([
    [0, 0, 250],
    [0, 1, 500],
    [3, 1, 4000],
    [7, 0, 30_000],
    [1000, 1, 60_000],
  ])('number %i with luck %f waits %i ms', (failures, luck, wait) => {
    expect(backOffAfter(failures, defaultTiming.backOff, () => luck)).toBe(wait);
  });
});

describe('a token that needs newer keys', () => {
  it('shares a fetch that is under way', async () => {
    const keys = keysWith(inline);
    keys.warm(1000);
    const first = keys.sooner(1000);
    expect(keys.sooner(1000)).toBe(first);
    await first;
    expect(asked).toHaveLength(1);
  });

  it('brings them once in 10 s', async () => {
    const keys = keysWith(inline);
    await keys.sooner(1000);
    expect(keys.sooner(1000)).toBeUndefined();
    await vi.advanceTimersByTimeAsync(9999);
    expect(keys.sooner(1000)).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    await keys.sooner(1000);
    expect(asked).toHaveLength(2);
    expect(keys.sooner(1000)).toBeUndefined();
  });

  it('brings them not before the back-off of a failure has passed', async () => {
    const keys = keysWith(down, inline);
    await keys.sooner(1000);
    expect(keys.sooner(1000)).toBeUndefined();
    await vi.advanceTimersByTimeAsync(500);
    await keys.sooner(1000);
    expect(keys.keys).toBeDefined();
  });

  it('is never rejected', async () => {
    await expect(keysWith(down).sooner(1000)).resolves.toBeUndefined();
    await expect(keysWith('<html>').sooner(1000)).resolves.toBeUndefined();
  });
});
