import { now } from './clock.ts';

/**
 * Deadlines for many connections with one interval a thread. Moving a deadline into the future is a
 * field write: an entry that turns up early in its slot is put back at its new deadline. Accurate to
 * one tick (50 ms), never early.
 */
export type Deadline = {
  /** Milliseconds on the clock of `now()`; 0: none. */
  at: number;
  /** Tick of the slot the entry sits in; 0: in none. */
  tick: number;
  next: Deadline | undefined;
  previous: Deadline | undefined;
  /** Runs when the deadline has passed; may arm it again. */
  expire: (now: number) => void;
};

const tickMs = 50;
const slotCount = 2048;

export type TimerWheel = ReturnType<typeof createTimerWheel>;

export function createDeadline(expire: (now: number) => void): Deadline {
  return { at: 0, tick: 0, next: undefined, previous: undefined, expire };
}

export function createTimerWheel(clock: () => number = now) {
  const slots: (Deadline | undefined)[] = new Array(slotCount).fill(undefined);
  let time = clock();
  let current = Math.floor(time / tickMs);
  let interval: NodeJS.Timeout | undefined;
  let armed = 0;

  function insert(entry: Deadline, atLeast: number) {
    // A deadline beyond one turn of the wheel waits in the last slot and is put back from there.
    const wanted = Math.floor(entry.at / tickMs) + 1;
    entry.tick = Math.min(Math.max(wanted, atLeast), current + slotCount - 1);
    const slot = entry.tick % slotCount;
    const first = slots[slot];
    entry.next = first;
    entry.previous = undefined;
    if (first) first.previous = entry;
    slots[slot] = entry;
    armed++;
  }

  function unlink(entry: Deadline) {
    if (entry.previous) entry.previous.next = entry.next;
    else slots[entry.tick % slotCount] = entry.next;
    if (entry.next) entry.next.previous = entry.previous;
    entry.next = undefined;
    entry.previous = undefined;
    entry.tick = 0;
    armed--;
  }

  /** Runs what has expired. The interval calls it; tests call it with a clock of their own. */
  function advance() {
    time = clock();
    const last = Math.floor(time / tickMs);
    // After a long stall one turn visits every slot there is.
    if (last - current > slotCount) current = last - slotCount;
    while (current < last) {
      current++;
      const slot = current % slotCount;
      // From the head each time: what expires may take others out of the wheel.
      for (let entry = slots[slot]; entry; entry = slots[slot]) {
        unlink(entry);
        if (entry.at > time) insert(entry, current + 1);
        else if (entry.at > 0) {
          entry.at = 0;
          entry.expire(time);
        }
      }
    }
    if (armed === 0 && interval) {
      clearInterval(interval);
      interval = undefined;
    }
  }

  return {
    /** Sets the deadline to `at`, earlier or later than it was. */
    arm(entry: Deadline, at: number) {
      entry.at = at;
      if (entry.tick !== 0) {
        if (Math.floor(at / tickMs) + 1 >= entry.tick) return;
        unlink(entry);
      }
      if (!interval) {
        time = clock();
        current = Math.max(current, Math.floor(time / tickMs));
        interval = setInterval(advance, tickMs).unref();
      }
      insert(entry, current + 1);
    },

    /** Takes the entry out of the wheel: for owners that go away. */
    remove(entry: Deadline) {
      entry.at = 0;
      if (entry.tick !== 0) unlink(entry);
    },

    advance,

    /** The clock as of the last tick: good enough for timeouts of seconds, and free. */
    time: () => time,

    /** Entries that wait in the wheel. */
    armed: () => armed,

    close() {
      clearInterval(interval);
      interval = undefined;
    },
  };
}
