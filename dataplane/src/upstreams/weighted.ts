import { roundRobin } from './balancing/round-robin.ts';

/** Anything that is picked in proportion to a weight; weights are integers >= 0. */
export type Weighted<T> = { item: T; weight: number };

/** Picks the next item; undefined when there is none with a weight above 0. */
export type Picker<T> = () => T | undefined;

/** Smooth weighted round robin over any items. */
export function createPicker<T>(entries: readonly Weighted<T>[]): Picker<T> {
  const usable = entries.filter(({ weight }) => weight > 0);
  const candidates = usable.map(({ item, weight }) => {
    return { item, id: '', share: weight, credit: 0, active: 0, latency: 0, latencyAt: 0 };
  });
  const balancer = roundRobin.create(candidates);
  return () => balancer.pick(0)?.item;
}
