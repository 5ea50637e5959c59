/** Bytes that a connection may send at once beyond what its requests explain. */
export const burst = 256 * 1024;
/** Bytes a second that it may send on top. */
const refill = 16 * 1024;
/** An entry of a request's head counts no more than this in its frames; priorities and windows come with it. */
const headExtra = 128;
/**
 * What a byte of a request body pays for: one message of gRPC a frame is all right, frames that are padding
 * are not.
 */
const bodyWorth = 16;
/** What a byte that we send pays for: clients answer DATA by WINDOW_UPDATE twice, and by PING. */
const sentWorth = 4;
/** A PING or SETTINGS costs more than its bytes: it is answered, and no thread of ours is spared. */
const answeredCost = 32;
/** No answer to one is longer: it pays for nothing. */
const answerBytes = 17;

/**
 * Tells floods of frames. nghttp2 stops those that are wrong in themselves; frames that may come, but
 * not without end (PING, SETTINGS, WINDOW_UPDATE, DATA that is padding, heads too large to be looked at)
 * show by their bytes: what a client sends has to be requests and their bodies, or to answer what it is sent.
 */
export class FrameBudget {
  #level = burst;
  #credit = 0;
  #answered = 0;
  #unread = 0;
  #read = 0;
  #written = 0;
  #at: number;

  /** @param at milliseconds, as in `settle`. */
  constructor(at: number) {
    this.#at = at;
  }

  /** A request's head has come, of so many bytes as text. */
  head(bytes: number) {
    this.#credit += bytes + headExtra;
  }

  body(bytes: number) {
    this.#credit += bodyWorth * bytes;
  }

  /** So many bytes of a request may be on their way that nobody waits for any more. */
  unread(bytes: number) {
    this.#unread += bytes;
  }

  /** Something has come that is answered by itself. Returns true when it is time to settle. */
  answered(): boolean {
    this.#answered++;
    return this.#answered * (answeredCost + answerBytes) > burst;
  }

  /**
   * Returns whether there is a flood.
   * @param read bytes that have come since the connection began.
   * @param written bytes that have gone.
   * @param at milliseconds.
   */
  settle(read: number, written: number, at: number): boolean {
    const sent = Math.max(0, written - this.#written - this.#answered * answerBytes);
    const cost = read - this.#read + this.#answered * answeredCost;
    const rested = Math.min(burst, this.#level + (refill * (at - this.#at)) / 1000);
    this.#level = Math.min(burst, rested + this.#credit + sentWorth * sent - cost);
    this.#read = read;
    this.#written = written;
    this.#at = at;
    this.#credit = 0;
    this.#answered = 0;
    if (this.#level >= 0) return false;
    this.#unread += this.#level;
    this.#level = 0;
    return this.#unread < 0;
  }
}
