import type { Lane } from '@gatehouse/snapshot';

/** One timer for the unanswered update of each lane. */
export class AnswerTimers {
  readonly #running = new Map<Lane, NodeJS.Timeout>();
  readonly #milliseconds: number;
  readonly #onLate: () => void;

  constructor(milliseconds: number, onLate: () => void) {
    this.#milliseconds = milliseconds;
    this.#onLate = onLate;
  }

  start(lane: Lane): void {
    clearTimeout(this.#running.get(lane));
    this.#running.set(lane, setTimeout(this.#onLate, this.#milliseconds));
  }

  /** Stops the timers of all other lanes. */
  keep(waits: (lane: Lane) => boolean): void {
    for (const [lane, timer] of this.#running) {
      if (waits(lane)) continue;
      clearTimeout(timer);
      this.#running.delete(lane);
    }
  }
}
