import type { Urgency } from './wanted.ts';

/** Milliseconds that a difference must last before it is written. */
export type Delays = Record<Urgency, number>;

export const defaultDelays: Delays = { now: 0, soon: 1000, patient: 10_000 };

/** Remembers since when each object differs, so that what passes by itself is never written. */
export interface Patience {
  /** Milliseconds until the difference is worth a write; 0 when it is now. */
  left(key: string, urgency: Urgency, now: number): number;
  /** The object does not differ any more. */
  forget(key: string): void;
}

export function createPatience(delays: Delays): Patience {
  const since = new Map<string, { urgency: Urgency; at: number }>();
  return {
    left(key, urgency, now) {
      let one = since.get(key);
      if (one?.urgency !== urgency) {
        one = { urgency, at: now };
        since.set(key, one);
      }
      return Math.max(0, one.at + delays[urgency] - now);
    },
    forget: (key) => void since.delete(key),
  };
}
