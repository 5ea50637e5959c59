import { type Trouble, troubles } from './troubles.ts';

/** An endpoint is in trouble from `at` until `repairedAt`; milliseconds since the load began. */
export type Event = { endpoint: number; trouble: Trouble; at: number; repairedAt: number };

/** Numbers from 0 to below 1 that follow from the seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Nothing happens before this, so that there is something to compare with. */
export const calmBegin = 5000;
/** Nothing happens for so long after the last repair of a wave. */
export const calmAfter = 3000;

const mostAtOnce = 3;

/**
 * Waves of troubles: each takes one to three endpoints, one after the other, for 1 to 4 s each; then comes a
 * calm in which recovery is measured. Every kind of trouble has its turn before one comes again.
 * @param length milliseconds; the last wave ends, with its calm, before that.
 */
export function scheduleOf(seed: number, endpoints: number, length: number): Event[] {
  const random = randomOf(seed);
  const events: Event[] = [];
  let kinds: Trouble[] = [];
  const between = (least: number, most: number) => Math.round(least + random() * (most - least));
  for (let begin = calmBegin; ; ) {
    const chosen = shuffled(
      Array.from({ length: endpoints }, (_, i) => i),
      random,
    );
    const wave = chosen.slice(0, between(1, mostAtOnce)).map((endpoint): Event => {
      if (kinds.length === 0) kinds = shuffled(troubles, random);
      const at = begin + between(0, 1500);
      const trouble = kinds.pop() ?? 'killed';
      return { endpoint, trouble, at, repairedAt: at + between(1000, 4000) };
    });
    const end = Math.max(...wave.map(({ repairedAt }) => repairedAt)) + calmAfter;
    if (end > length) return events.sort((a, b) => a.at - b.at);
    events.push(...wave);
    begin = end;
  }
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const left = [...items];
  const mixed: T[] = [];
  while (left.length > 0) mixed.push(...left.splice(Math.floor(random() * left.length), 1));
  return mixed;
}

/** The ends of waves: moments at which the last trouble is repaired and a calm begins. */
export function repairsOf(events: readonly Event[]): number[] {
  return events
    .filter(({ repairedAt }) =>
      events.every((other) => other.repairedAt <= repairedAt || other.at >= repairedAt + calmAfter),
    )
    .map(({ repairedAt }) => repairedAt)
    .sort((a, b) => a - b);
}
