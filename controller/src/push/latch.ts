/** A wish to go on that is remembered until somebody waits for it. */
export class Latch {
  #open = false;
  #resolve: (() => void) | undefined;

  open(): void {
    this.#open = true;
    this.#resolve?.();
  }

  /** Resolves when it is, or was since the last wait, opened; then it is shut again. */
  async opened(): Promise<void> {
    if (!this.#open) await new Promise<void>((resolve) => (this.#resolve = resolve));
    this.#open = false;
    this.#resolve = undefined;
  }
}
