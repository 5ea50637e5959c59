import { Lane } from '@gatehouse/snapshot';

interface Resync {
  missing: Set<Lane>;
  resolve(): void;
  reject(error: Error): void;
}

/** Those who wait until everything has been sent and applied again. */
export class Resyncs {
  readonly #waiting = new Set<Resync>();

  get pending(): boolean {
    return this.#waiting.size > 0;
  }

  begin(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.#waiting.delete(resync);
        settle();
      };
      const resync: Resync = {
        missing: new Set([Lane.CONFIG, Lane.ENDPOINTS]),
        resolve: () => end(resolve),
        reject: (error) => end(() => reject(error)),
      };
      const timer = setTimeout(() => {
        resync.reject(
          new Error(`Cannot resync: no complete answer from the controller in ${timeoutMs} ms`),
        );
      }, timeoutMs);
      this.#waiting.add(resync);
    });
  }

  applied(lane: Lane, full: boolean): void {
    if (!full) return;
    for (const resync of this.#waiting) {
      resync.missing.delete(lane);
      if (resync.missing.size === 0) resync.resolve();
    }
  }

  failed(reason: string): void {
    for (const resync of this.#waiting) resync.reject(new Error(`Cannot resync: ${reason}`));
  }
}
