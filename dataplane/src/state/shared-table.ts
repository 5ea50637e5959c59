import { hash32 } from './hash.ts';
import { lockWord, unlockWord } from './shared-lock.ts';

/** Words of 32 bits at the begin of a row: its lock, 64 bits of its name, and who holds it. */
const lockAt = 0;
const highAt = 1;
const lowAt = 2;
const holdersAt = 3;
/** First word of what a row is for; numbers of 64 bits stand at even words. */
export const contentAt = 4;

/** Rows that are looked at for a name; when all are taken the table counts as full. */
const window = 64;

export type TableShape = {
  rows: number;
  /** Of a row, its first four included; even. */
  words: number;
  /** For each row, of what one thread holds by itself. */
  shareWords: number;
};

/** A row that a thread holds. */
export type Row = {
  words: Int32Array;
  numbers: Float64Array;
  /** First word of the row. */
  at: number;
  /** Numbers of this thread alone, which are taken back when it fails; the first counts its claims. */
  share: Int32Array;
  shareAt: number;
};

/** Memory for all threads of a process. */
export function createTableMemory({ rows, words }: TableShape): SharedArrayBuffer {
  return new SharedArrayBuffer(rows * words * 4);
}

/** Memory for what one thread holds; the main thread keeps it when the thread fails. */
export function createShareMemory({ rows, shareWords }: TableShape): SharedArrayBuffer {
  return new SharedArrayBuffer(rows * shareWords * 4);
}

/**
 * Rows of numbers by name, in memory that all threads of a process share. A row lives while somebody
 * holds it; a new one is all zero. Row 0 is never given out.
 */
export class SharedTable {
  readonly #shape: TableShape;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #share: Int32Array;

  constructor(shape: TableShape, memory: SharedArrayBuffer, share: SharedArrayBuffer) {
    this.#shape = shape;
    this.#words = new Int32Array(memory);
    this.#numbers = new Float64Array(memory);
    this.#share = new Int32Array(share);
  }

  /** The row of a name, made when there is none. When the table is full, one that nobody else sees. */
  claim(name: string): Row {
    const [high, low] = namesHash(name);
    lockWord(this.#words, 0);
    let at = this.#find(high, low);
    if (at === 0) at = this.#take(high, low);
    if (at > 0) {
      this.#words[at + holdersAt] = (this.#words[at + holdersAt] ?? 0) + 1;
      const row = this.#row(at);
      row.share[row.shareAt] = (row.share[row.shareAt] ?? 0) + 1;
      unlockWord(this.#words, 0);
      return row;
    }
    unlockWord(this.#words, 0);
    return this.#private();
  }

  /** The row of a name, if somebody holds it. */
  find(name: string): Row | undefined {
    const [high, low] = namesHash(name);
    const at = this.#find(high, low);
    return at === 0 ? undefined : this.#row(at);
  }

  /** Gives a row back. What is still done to it afterwards nobody sees. */
  release(row: Row) {
    if (row.words !== this.#words) return;
    lockWord(this.#words, 0);
    row.share[row.shareAt] = (row.share[row.shareAt] ?? 0) - 1;
    this.#drop(row.at, 1);
    unlockWord(this.#words, 0);
    Object.assign(row, this.#private());
  }

  /**
   * Takes back all that a thread held which is gone. `before` is called for each row first.
   * @param share memory of that thread.
   */
  releaseAll(share: SharedArrayBuffer, before: (row: Row) => void) {
    const gone = new Int32Array(share);
    const { shareWords, words } = this.#shape;
    for (let index = 1; index * shareWords < gone.length; index++) {
      const claims = gone[index * shareWords] ?? 0;
      if (claims === 0) continue;
      const at = index * words;
      const row = { ...this.#row(at), share: gone, shareAt: index * shareWords };
      before(row);
      lockWord(this.#words, 0);
      this.#drop(at, claims);
      unlockWord(this.#words, 0);
    }
    gone.fill(0);
  }

  #drop(at: number, claims: number) {
    const holders = (this.#words[at + holdersAt] ?? 0) - claims;
    this.#words[at + holdersAt] = holders;
    if (holders <= 0) this.#words.fill(0, at, at + this.#shape.words);
  }

  #row(at: number): Row {
    const shareAt = (at / this.#shape.words) * this.#shape.shareWords;
    return { words: this.#words, numbers: this.#numbers, at, share: this.#share, shareAt };
  }

  #private(): Row {
    const { words, shareWords } = this.#shape;
    const memory = new ArrayBuffer(words * 4);
    return {
      words: new Int32Array(memory),
      numbers: new Float64Array(memory),
      at: 0,
      share: new Int32Array(shareWords),
      shareAt: 0,
    };
  }

  /** First word of the row with this name; 0: none. */
  #find(high: number, low: number): number {
    for (const at of this.#places(low)) {
      const held = (this.#words[at + holdersAt] ?? 0) > 0;
      if (held && this.#words[at + highAt] === high && this.#words[at + lowAt] === low) return at;
    }
    return 0;
  }

  #take(high: number, low: number): number {
    for (const at of this.#places(low)) {
      if ((this.#words[at + holdersAt] ?? 0) > 0) continue;
      this.#words[at + highAt] = high;
      this.#words[at + lowAt] = low;
      return at;
    }
    return 0;
  }

  *#places(low: number): Generator<number> {
    const { rows, words } = this.#shape;
    const first = (low >>> 0) % rows;
    for (let i = 0; i < Math.min(window, rows); i++) {
      const index = (first + i) % rows;
      if (index > 0) yield index * words;
    }
  }
}

/** 64 bits: names come from the config, so nobody aims at a collision. */
function namesHash(name: string): [high: number, low: number] {
  return [hash32(name, 0x51ed270b) | 0, hash32(name, 0x2545f491) | 0];
}

export function lockRow({ words, at }: Row) {
  lockWord(words, at + lockAt);
}

export function unlockRow({ words, at }: Row) {
  unlockWord(words, at + lockAt);
}
