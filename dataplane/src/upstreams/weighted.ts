/** Anything that is picked in proportion to a weight; weights are integers >= 0. */
export type Weighted<T> = { item: T; weight: number };

/** Picks the next item; undefined when there is none with a weight above 0. */
export type Picker<T> = () => T | undefined;

/**
 * Smooth weighted round robin, as nginx does it: after the sum of the weights every item was picked
 * exactly as often as its weight says, spread as evenly as possible. Equal weights: plain rotation.
 */
export function createPicker<T>(entries: readonly Weighted<T>[]): Picker<T> {
  const usable = entries.filter((entry) => entry.weight > 0);
  const [first] = usable;
  if (!first) return () => undefined;
  if (usable.every((entry) => entry.weight === first.weight)) return rotation(usable);
  const total = usable.reduce((sum, entry) => sum + entry.weight, 0);
  const current = usable.map(() => 0);
  return () => {
    let best = 0;
    let bestValue = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < usable.length; i++) {
      const value = (current[i] ?? 0) + (usable[i]?.weight ?? 0);
      current[i] = value;
      if (value > bestValue) {
        best = i;
        bestValue = value;
      }
    }
    current[best] = bestValue - total;
    return usable[best]?.item;
  };
}

function rotation<T>(entries: readonly Weighted<T>[]): Picker<T> {
  let next = 0;
  return () => {
    if (next >= entries.length) next = 0;
    return entries[next++]?.item;
  };
}
