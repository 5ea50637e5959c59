import type { Head } from './head.ts';
import type { Session } from './session.ts';

/** Who is told what comes on a stream. */
export type StreamOwner = {
  /** A head, interim ones included. */
  onHead(head: Head): void;
  /** A piece of the body: `chunk` from `from` to `to`. */
  onData(chunk: Buffer, from: number, to: number): void;
  /** The message is complete. Trailers are names and values by turns. */
  onEnd(trailers: readonly string[]): void;
  /** What was sent has left to the extent that more may follow. */
  onWritable(): void;
  /** Nothing more comes or goes. `code` as in RFC 9113 section 7. */
  onClose(code: number): void;
};

/** Heads and bodies that go out in one call of the module are no longer. */
const mostAtOnce = 65_536;
/** With more that waits, the sender should. */
const highMark = 32_768;

const endFlag = 1;
const httpsFlag = 2;

/** A stream of HTTP/2. Once it is closed everything is ignored. */
export class Stream {
  id: number;
  owner: StreamOwner | undefined;
  /** Nothing goes out any more. */
  closed = false;
  readonly session: Session;
  paused = false;
  /** What came while it was paused. */
  #waiting: Waiting[] = [];
  #code = 0;
  #ignored = false;

  constructor(session: Session, id: number) {
    this.session = session;
    this.id = id;
  }

  /**
   * Sends a request with this head.
   * @param end nothing follows `body`.
   */
  request(text: string, https: boolean, body: Buffer, end: boolean): boolean {
    const { session } = this;
    const first = Math.min(body.length, mostAtOnce);
    const flags = (https ? httpsFlag : 0) | (end && first === body.length ? endFlag : 0);
    this.id = session.submit(this, text, body, first, flags);
    if (first === body.length) return first <= highMark;
    return this.#write(body, first, end);
  }

  /**
   * Sends the head of a response.
   * @param lines field lines, each ended by CRLF.
   * @param end nothing follows `body`.
   */
  respond(status: number, lines: string, body: Buffer, end: boolean): boolean {
    if (this.closed) return true;
    const first = Math.min(body.length, mostAtOnce);
    const last = first === body.length;
    const flags = end && last ? endFlag : 0;
    this.session.run((native) => native.respond(this.id, status, lines, body, first, flags));
    return last ? first <= highMark : this.#write(body, first, end);
  }

  /** Sends a 1xx response. */
  interim(status: number, lines: string) {
    if (!this.closed) this.session.run((native) => native.interim(this.id, status, lines));
  }

  /** Sends more of a body. False: rather wait for `onWritable`. */
  write(chunk: Buffer, end: boolean): boolean {
    return this.#write(chunk, 0, end);
  }

  #write(chunk: Buffer, from: number, end: boolean): boolean {
    const to = chunk.length;
    let waits = 0;
    let at = from;
    do {
      if (this.closed) return true;
      const next = Math.min(to, at + mostAtOnce);
      const flags = end && next === to ? endFlag : 0;
      const start = at;
      waits = this.session.run((native) => native.data(this.id, chunk, start, next, flags));
      at = next;
    } while (at < to);
    return waits <= highMark;
  }

  /** Ends the message. */
  end() {
    if (!this.closed) this.session.run((native) => native.data(this.id, empty, 0, 0, endFlag));
  }

  /** Ends the message by trailers. */
  trailers(lines: string) {
    if (!this.closed) this.session.run((native) => native.trailers(this.id, lines));
  }

  /** Has the peer told, once our message has gone, that the rest of its own is not wanted. */
  refuseRest() {
    if (!this.closed) this.session.run((native) => native.refuseRest(this.id));
    this.#ignoreRest();
  }

  /** Resets the stream behind what waits to be sent. */
  cut(code: number) {
    if (!this.closed) this.session.run((native) => native.cut(this.id, code));
    this.#ignoreRest();
  }

  /** What still comes is not told any more, but that the stream closes. */
  #ignoreRest() {
    if (this.#ignored) return;
    this.#ignored = true;
    this.#waiting = [];
    if (!this.paused) return;
    this.paused = false;
    if (this.closed) this.#tellClose();
    else this.session.run((native) => native.setFlowing(this.id, true));
  }

  /** Resets the stream; `onClose` follows once that has gone. */
  reset(code: number) {
    if (!this.closed) this.session.run((native) => native.reset(this.id, code));
  }

  /** Resets the stream, and is done with it. */
  destroy(code: number) {
    if (this.closed) return;
    this.reset(code);
    this.session.forget(this.id);
    this.#waiting = [];
    this.onClose(code);
  }

  /** Has the peer stop soon, and keeps what comes until then. */
  pause() {
    if (this.paused || this.closed || this.#ignored) return;
    this.paused = true;
    this.session.run((native) => native.setFlowing(this.id, false));
  }

  resume() {
    if (!this.paused) return;
    this.paused = false;
    if (this.#waiting.length > 0) process.nextTick(() => this.#catchUp());
    else this.session.run((native) => native.setFlowing(this.id, true));
  }

  #catchUp() {
    try {
      while (!this.paused) {
        const next = this.#waiting.shift();
        if (!next) break;
        if (next.chunk) this.owner?.onData(next.chunk, 0, next.chunk.length);
        else this.owner?.onEnd(next.trailers);
      }
    } catch (error) {
      this.session.destroy(error instanceof Error ? error : new Error(String(error)));
    }
    if (this.paused || this.#waiting.length > 0) return;
    if (this.closed) this.#tellClose();
    else this.session.run((native) => native.setFlowing(this.id, true));
  }

  onData(chunk: Buffer, from: number, to: number) {
    if (this.#ignored) return;
    if (!this.#late) return this.owner?.onData(chunk, from, to);
    this.#waiting.push({ chunk: Buffer.from(chunk.subarray(from, to)), trailers: noTrailers });
  }

  onEnd(trailers: readonly string[]) {
    if (this.#ignored) return;
    if (!this.#late) return this.owner?.onEnd(trailers);
    this.#waiting.push({ chunk: undefined, trailers });
  }

  /** What comes has to wait. */
  get #late(): boolean {
    return this.paused || this.#waiting.length > 0;
  }

  onClose(code: number) {
    if (this.closed) return;
    this.closed = true;
    this.#code = code;
    // All of the message has come: it is still to be taken.
    const last = this.#waiting.at(-1);
    if (last && !last.chunk) return;
    this.#waiting = [];
    this.#tellClose();
  }

  #tellClose() {
    const { owner } = this;
    this.owner = undefined;
    owner?.onClose(this.#code);
  }
}

/** A piece of a body, or the end of it. */
type Waiting = { chunk: Buffer | undefined; trailers: readonly string[] };

const empty = Buffer.alloc(0);
const noTrailers: readonly string[] = [];
