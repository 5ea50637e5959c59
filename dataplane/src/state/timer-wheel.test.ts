import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createDeadline, createTimerWheel, type TimerWheel } from './timer-wheel.ts';

const tick = 50;
/** One turn of the wheel. */
const turn = 2048 * tick;

let now = 1000;
let wheel: TimerWheel;

function start() {
  now = 1000;
  wheel = createTimerWheel(() => now);
}
afterEach(() => wheel.close());

/** Lets time pass tick by tick. */
function pass(milliseconds: number) {
  const end = now + milliseconds;
  while (now < end) {
    now = Math.min(end, now + tick);
    wheel.advance();
  }
}

function recorded(log: string[], name: string) {
  return createDeadline((at) => log.push(`${name} ${at}`));
}

describe('the timer wheel', () => {
  it.each([1, 49, 50, 51, 1234, turn - 1, turn, turn + 1, 3 * turn + 17])(
    'expires a deadline in %i ms once, never early, at most a tick late',
    (delay) => {
      start();
      const times: number[] = [];
      wheel.arm(
        createDeadline((at) => times.push(at)),
        now + delay,
      );
      const at = now + delay;
      pass(delay + 3 * tick);
      expect(times).toHaveLength(1);
      expect(times[0]).toBeGreaterThanOrEqual(at);
      expect(times[0]).toBeLessThanOrEqual(at + 2 * tick);
      expect(wheel.armed()).toBe(0);
    },
  );

  it('moves a deadline later and earlier', () => {
    start();
    const log: string[] = [];
    const entry = recorded(log, 'a');
    wheel.arm(entry, now + 100);
    wheel.arm(entry, now + 500);
    pass(450);
    expect(log).toEqual([]);
    wheel.arm(entry, now + 1000);
    wheel.arm(entry, now + 100);
    pass(200);
    expect(log).toHaveLength(1);
    expect(wheel.armed()).toBe(0);
  });

  it('forgets a deadline that is removed, and one that never comes is none', () => {
    start();
    const log: string[] = [];
    const entry = recorded(log, 'a');
    wheel.arm(entry, now + 100);
    wheel.remove(entry);
    wheel.remove(entry);
    expect(wheel.armed()).toBe(0);
    const never = recorded(log, 'never');
    wheel.arm(never, Number.POSITIVE_INFINITY);
    pass(2 * turn);
    expect(log).toEqual([]);
    expect(wheel.armed()).toBe(1);
    wheel.arm(never, now + 100);
    pass(200);
    expect(log).toHaveLength(1);
  });

  it('lets what expires arm itself again and take others out of the same slot', () => {
    start();
    const log: string[] = [];
    const others = ['b', 'c', 'd'].map((name) => recorded(log, name));
    const entry = createDeadline((at) => {
      log.push('a');
      for (const other of others.slice(0, 2)) wheel.remove(other);
      if (log.length < 3) wheel.arm(entry, at + 100);
    });
    const at = now + 100;
    for (const other of others.slice(0, 2)) wheel.arm(other, at);
    wheel.arm(entry, at);
    wheel.arm(others[2]!, at + 1000);
    pass(900);
    expect(log).toEqual(['a', 'a', 'a']);
    pass(500);
    expect(log).toHaveLength(4);
    expect(wheel.armed()).toBe(0);
  });

  it('catches up after a stall, however long', () => {
    for (const stall of [10 * tick, turn - tick, turn + tick, 5 * turn]) {
      start();
      const log: string[] = [];
      for (let i = 1; i <= 100; i++) wheel.arm(recorded(log, 'x'), now + i * 997);
      const never = recorded(log, 'late');
      wheel.arm(never, now + stall + 10 * tick);
      now += stall;
      wheel.advance();
      const due = Math.min(100, Math.floor(stall / 997));
      expect(log.length).toBeGreaterThanOrEqual(due - 1);
      expect(log.length).toBeLessThanOrEqual(due);
      pass(turn);
      expect(log).toHaveLength(101);
      expect(wheel.armed()).toBe(0);
    }
  });

  it('keeps every deadline through any sequence of arms, moves, removals and pauses', () => {
    const step = fc.record({
      entry: fc.nat(9),
      delay: fc.oneof(fc.nat(300), fc.nat(3 * turn)),
      remove: fc.boolean(),
      rest: fc.oneof(fc.constant(0), fc.nat(400), fc.nat(2 * turn)),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        start();
        const due = new Map<number, number>();
        const entries = Array.from({ length: 10 }, (_, i) =>
          createDeadline((at) => {
            expect(at).toBeGreaterThanOrEqual(due.get(i) ?? Number.POSITIVE_INFINITY);
            due.delete(i);
          }),
        );
        for (const { entry, delay, remove, rest } of steps) {
          if (remove) {
            wheel.remove(entries[entry]!);
            due.delete(entry);
          } else {
            wheel.arm(entries[entry]!, now + delay);
            due.set(entry, now + delay);
          }
          now += rest;
          wheel.advance();
          for (const at of due.values()) expect(at).toBeGreaterThan(now - 2 * tick);
          expect(wheel.armed()).toBe(due.size);
        }
        wheel.close();
      }),
      { numRuns: 300 },
    );
  });
});
