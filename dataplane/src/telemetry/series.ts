/**
 * Counters that a worker thread writes and the main thread reads. Each thread has one region of
 * shared memory and is its only writer, so adding is a plain store; the names of the slots are
 * announced once. What was counted outlives a crashed thread.
 */
export type SeriesName = {
  slot: number;
  family: string;
  /** Rendered labels, e.g. `method="GET",path="/api/users/*"`. */
  labels: string;
};

/** Slots of a region: 8 bytes each, touched only when used. */
const slotCount = 1 << 20;
/** The last slots take what has no room any more, and are never shown. */
const overflow = slotCount - 64;

export type Series = ReturnType<typeof createSeries>;

export function createRegion(): SharedArrayBuffer {
  return new SharedArrayBuffer(slotCount * Float64Array.BYTES_PER_ELEMENT);
}

/** The writing side. Slot 0 is never given out, so 0 can stand for "not allocated yet". */
export function createSeries(region: SharedArrayBuffer, announce: (name: SeriesName) => void) {
  const values = new Float64Array(region);
  const known = new Map<string, number>();
  let next = 1;

  return {
    values,
    /** First slot of a series of `width` numbers; the same for the same name. */
    slot(family: string, labels: string, width = 1): number {
      const key = `${family}{${labels}}`;
      let slot = known.get(key);
      if (slot === undefined) {
        // A full region sends what is new to one slot that nobody shows: bounded memory comes first.
        slot = next + width > overflow ? overflow : next;
        if (slot === next) {
          next += width;
          announce({ slot, family, labels });
        }
        known.set(key, slot);
      }
      return slot;
    },
  };
}
