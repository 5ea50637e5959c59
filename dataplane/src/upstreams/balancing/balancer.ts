import { now } from '../../state/clock.ts';

/** An endpoint as balancers see it. */
export type Candidate = {
  /** The same on every data plane. */
  readonly id: string;
  /** Its weight, more than 0; less while it starts slowly. */
  readonly share: number;
  /** Requests under way from this thread. */
  readonly active: number;
  /** What smooth round robin owes it. */
  credit: number;
  /** Milliseconds to the head of an answer, a mean that follows peaks at once, as of `latencyAt`; 0: none came yet. */
  latency: number;
  latencyAt: number;
};

/** Picks among the candidates that it was made of. */
export type Balancer<C extends Candidate> = {
  /**
   * The candidate for the next request; undefined when there is none.
   * @param key 32 bits, those of the request; only balancers by key heed it.
   */
  pick(key: number): C | undefined;
};

/** What a balancer draws from; tests bring their own. */
export type Chance = { random(): number; clock(): number };

export const realChance: Chance = { random: Math.random, clock: now };

/** One way to share requests out: one file each, see algorithms.ts. */
export type Algorithm = {
  /**
   * Where a request goes depends on its key: such a balancer is made of all candidates, and whoever gets
   * one that is out of service asks again with another key.
   */
  byKey: boolean;
  /** It goes by how fast candidates answer. */
  byLatency: boolean;
  create<C extends Candidate>(candidates: readonly C[], chance?: Chance): Balancer<C>;
};
