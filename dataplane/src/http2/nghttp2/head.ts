import type { Nghttp2 } from './nghttp2.ts';

/** A head that has been read, as text of HTTP/1.1 with offsets. Valid until the next one is. */
export class Head {
  text = '';
  targetStart = 0;
  targetEnd = 0;
  /** Of a request. */
  method = '';
  /** What :scheme says: 1 http, 2 https, 3 something else, 0 nothing. */
  scheme = 0;
  /** Of a response. */
  status = 0;
  fieldCount = 0;
  /** Nothing follows it. */
  ended = false;
  #spans = 0;
  readonly #nghttp2: Nghttp2;

  constructor(nghttp2: Nghttp2) {
    this.#nghttp2 = nghttp2;
  }

  /** Takes the event whose first word is at `at`; returns where the next one begins. */
  take(at: number): number {
    const { words, bytes, heads } = this.#nghttp2;
    this.ended = words[at + 2] === 1;
    const start = heads + (words[at + 3] ?? 0);
    this.text = bytes.toString('latin1', start, start + (words[at + 4] ?? 0));
    this.targetStart = words[at + 5] ?? 0;
    this.targetEnd = words[at + 6] ?? 0;
    this.status = words[at + 7] ?? 0;
    this.scheme = words[at + 8] ?? 0;
    const methodLength = words[at + 9] ?? 0;
    this.method = methodLength === 0 ? '' : this.text.slice(0, methodLength);
    this.fieldCount = words[at + 10] ?? 0;
    this.#spans = at + 11;
    return this.#spans + 4 * this.fieldCount;
  }

  /** Four offsets a field: name start, name end, value start, value end. */
  copySpans(to: number[]) {
    const { words } = this.#nghttp2;
    const from = this.#spans;
    for (let i = 4 * this.fieldCount - 1; i >= 0; i--) to[i] = words[from + i] ?? 0;
  }

  /** Names and values by turns. */
  list(): string[] {
    const spans: number[] = [];
    this.copySpans(spans);
    const list: string[] = [];
    for (let i = 0; i < spans.length; i += 2) list.push(this.text.slice(spans[i], spans[i + 1]));
    return list;
  }
}
