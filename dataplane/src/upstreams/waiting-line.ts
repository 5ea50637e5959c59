import type { SharedLimit } from './shared-limit.ts';

/** Requests that wait on one thread, at most, when the upstream sets no limit. */
const usualMost = 1024;

/** Waiters of one Route that are looked at when the first of them cannot be served. */
const looked = 16;

type Waiter = {
  route: string;
  /** False: what is there will not do for this one. */
  serve(): boolean;
  leave(): void;
};

/** Requests that wait for connections to one upstream: first come, first served, Routes taking turns. */
export class WaitingLine {
  /** In the order of their turns. */
  readonly #routes = new Map<string, Set<Waiter>>();
  #length = 0;
  #looks = false;

  get length(): number {
    return this.#length;
  }

  /**
   * @param serve is called when there may be room; true: it was served, and leaves.
   * @returns what leaves the line, and does nothing later; undefined: too many wait.
   */
  join(
    route: string,
    serve: () => boolean,
    limit: SharedLimit | undefined,
  ): (() => void) | undefined {
    if (limit ? !limit.enter() : this.#length >= usualMost) return undefined;
    const waiter: Waiter = {
      route,
      serve,
      leave: () => {
        if (this.#remove(waiter)) limit?.leave();
      },
    };
    const line = this.#routes.get(route);
    if (line) line.add(waiter);
    else this.#routes.set(route, new Set([waiter]));
    this.#length++;
    return waiter.leave;
  }

  #remove(waiter: Waiter): boolean {
    const line = this.#routes.get(waiter.route);
    if (!line?.delete(waiter)) return false;
    this.#length--;
    if (line.size === 0) this.#routes.delete(waiter.route);
    return true;
  }

  /** Tells that there may be room. Those who are at work just now come first. */
  look() {
    if (this.#looks || this.#length === 0) return;
    this.#looks = true;
    queueMicrotask(() => {
      this.#looks = false;
      while (this.#serveOne());
    });
  }

  #serveOne(): boolean {
    for (const [route, line] of this.#routes) {
      let count = 0;
      for (const waiter of line) {
        if (waiter.serve()) {
          waiter.leave();
          this.#toTheEnd(route);
          return true;
        }
        if (++count >= looked) break;
      }
    }
    return false;
  }

  /** The Route has had its turn. */
  #toTheEnd(route: string) {
    const line = this.#routes.get(route);
    if (!line) return;
    this.#routes.delete(route);
    this.#routes.set(route, line);
  }
}
