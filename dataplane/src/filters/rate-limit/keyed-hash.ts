export type HashState = readonly [number, number, number, number, number, number];

/**
 * HalfSipHash-2-4 with 64 bits of output (Aumasson and Bernstein, SipHash; the 32-bit variant): with a
 * key that nobody knows nobody can make keys meet in one row. Two UTF-16 units are one word.
 */
export class KeyedHash {
  readonly #k0: number;
  readonly #k1: number;
  #v0 = 0;
  #v1 = 0;
  #v2 = 0;
  #v3 = 0;
  #units = 0;
  #pending = 0;
  /** The result of `finish`. */
  high = 0;
  low = 0;

  /** @param key two numbers of 32 random bits. */
  constructor(key: readonly [number, number]) {
    [this.#k0, this.#k1] = key;
    this.begin();
  }

  begin(): void {
    this.#v0 = this.#k0;
    this.#v1 = this.#k1 ^ 0xee;
    this.#v2 = 0x6c796765 ^ this.#k0;
    this.#v3 = 0x74656462 ^ this.#k1;
    this.#units = 0;
    this.#pending = 0;
  }

  add(text: string): void {
    for (let i = 0; i < text.length; i++) this.#unit(text.charCodeAt(i));
    // No text ends in it, so ("a", "b") and ("ab", "") differ.
    this.#unit(0xffff);
  }

  #unit(unit: number): void {
    if ((this.#units & 1) === 0) this.#pending = unit;
    else this.#word(this.#pending | (unit << 16));
    this.#units++;
  }

  #word(word: number): void {
    this.#v3 ^= word;
    this.#round();
    this.#round();
    this.#v0 ^= word;
  }

  /** What was added so far, to go on from there again and again. */
  save(): HashState {
    return [this.#v0, this.#v1, this.#v2, this.#v3, this.#units, this.#pending];
  }

  resume([v0, v1, v2, v3, units, pending]: HashState): void {
    this.#v0 = v0;
    this.#v1 = v1;
    this.#v2 = v2;
    this.#v3 = v3;
    this.#units = units;
    this.#pending = pending;
  }

  finish(): void {
    const rest = (this.#units & 1) === 0 ? 0 : this.#pending;
    this.#word(rest | (this.#units << 24));
    this.#v2 ^= 0xee;
    for (let i = 0; i < 4; i++) this.#round();
    this.high = this.#v1 ^ this.#v3;
    this.#v1 ^= 0xdd;
    for (let i = 0; i < 4; i++) this.#round();
    this.low = this.#v1 ^ this.#v3;
  }

  #round(): void {
    let [v0, v1, v2, v3] = [this.#v0, this.#v1, this.#v2, this.#v3];
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    this.#v0 = v0;
    this.#v1 = v1;
    this.#v2 = v2;
    this.#v3 = v3;
  }
}
