/** What runs beside a policy while it is in force. */
export class Lifetime {
  readonly #starts = new Map<string, () => () => void>();
  #ends: (() => void)[] = [];

  /** `start` returns what ends it. Of one key the first counts: rules are linked more than once. */
  add(key: string, start: () => () => void) {
    if (!this.#starts.has(key)) this.#starts.set(key, start);
  }

  begin() {
    this.#ends = [...this.#starts.values()].map((start) => start());
  }

  end() {
    for (const end of this.#ends.splice(0)) end();
  }
}
