import type { Row } from '../state/shared-table.ts';

/** So many at one time, over all threads of the data plane. Exact. */
export class SharedLimit {
  most: number;
  readonly #row: Row;
  readonly #word: number;
  readonly #share: number;

  /** @param word of the row that counts, and the one of the share of this thread. */
  constructor(row: Row, word: number, share: number, most: number) {
    this.#row = row;
    this.#word = word;
    this.#share = share;
    this.most = most;
  }

  /** False when there are so many already. */
  enter(): boolean {
    const { words, at } = this.#row;
    if (Atomics.add(words, at + this.#word, 1) >= this.most) {
      Atomics.sub(words, at + this.#word, 1);
      return false;
    }
    this.#count(1);
    return true;
  }

  leave() {
    this.#count(-1);
    Atomics.sub(this.#row.words, this.#row.at + this.#word, 1);
  }

  #count(change: number) {
    const { share, shareAt } = this.#row;
    share[shareAt + this.#share] = (share[shareAt + this.#share] ?? 0) + change;
  }
}
