import type { Mistake } from '../../compile/status.ts';
import type { DiscoveredEndpoint } from '../../store/discovery.ts';

/** Takes what a source says. */
export interface Sink {
  /**
   * An answer that can be used.
   * @param told parts that were left out, and what else is worth telling.
   */
  found(endpoints: DiscoveredEndpoint[], told: { mistakes: Mistake[]; note: string }): void;
  /** No answer, or none that can be used. */
  failed(fault: Fault): void;
}

export type Fault = {
  mistakes: Mistake[];
  /** May well be over at the next attempt. */
  transient: boolean;
};

/** Asks a source again and again until it is closed. */
export interface SourceWatch {
  close(): Promise<void>;
}

/** First and longest wait after a failure, in milliseconds. */
export type Retry = { first: number; most: number };
