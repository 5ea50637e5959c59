/** Failures in a row after which nothing is asked any more, and milliseconds until the next probe. */
const mostFailures = 5;
const probeAfter = 1000;

/**
 * Stands before a server that may be gone: after some failures in a row nobody waits for it any more.
 * Probes in the background find out when it is back, so that no request is used for that.
 */
export class Breaker {
  /** Whether the server may be asked. */
  closed: boolean;
  readonly #probe: () => Promise<boolean>;
  readonly #onChange: () => void;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #probing = false;
  #again = false;

  /** @param probe whether the server answers as it should; never rejects. */
  constructor(closed: boolean, probe: () => Promise<boolean>, onChange: () => void) {
    this.closed = closed;
    this.#probe = probe;
    this.#onChange = onChange;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(): void {
    if (this.closed && ++this.#failures >= mostFailures) this.open();
  }

  /** Asks no more, until a probe succeeds. */
  open(): void {
    const before = this.closed;
    this.closed = false;
    this.#plan();
    if (before) this.#onChange();
  }

  /** Probes now rather than later. */
  async probe(): Promise<void> {
    this.#again = this.#probing;
    if (this.#probing) return;
    clearTimeout(this.#timer);
    this.#probing = true;
    const good = await this.#probe();
    this.#probing = false;
    if (!good) return this.#again ? this.probe() : this.#plan();
    this.#failures = 0;
    if (this.closed) return;
    this.closed = true;
    this.#onChange();
  }

  /** Ends probing. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #plan(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.probe(), probeAfter).unref();
  }
}
