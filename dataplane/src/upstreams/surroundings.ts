import type { TimerWheel } from '../state/timer-wheel.ts';
import type { UpstreamTables } from './shared/upstream-memory.ts';

/** Something about an upstream that an operator wants to read in the log. */
export type UpstreamEvent = {
  /** Label of the upstream. */
  service: string;
  /** Name of its resource. */
  upstream: string;
  endpoint?: string;
  reason?: string;
  /** It does not work now as it did before. */
  bad: boolean;
  text: string;
};

/** What the upstreams of a thread share, and what outlives the snapshot they were linked from. */
export type Surroundings = {
  wheel: TimerWheel;
  tables: UpstreamTables;
  /** Serving threads of the data plane. */
  threads: number;
  /** What counts one more of a metric each time it is called. */
  counter(family: string, labels: Readonly<Record<string, string>>): () => void;
  report(event: UpstreamEvent): void;
};
