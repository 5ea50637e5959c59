import { bodyBytes } from '../http1/body-text.ts';
import { framingOverhead, type Limits } from '../http1/limits.ts';
import { requestType } from '../http1/llhttp.ts';
import { Parser } from '../http1/parser.ts';
import { type Rejection, RequestHead } from '../http1/request-head.ts';
import { now } from '../state/clock.ts';

/** What a chunk has brought. */
export const Progress = {
  /** Part of a head. */
  partial: 0,
  /** A complete head, perhaps with body behind it. */
  head: 1,
  /** More of the body of the request under way. */
  body: 2,
  /** A request that must not be forwarded; `rejection` says why. */
  rejected: 3,
  /** A body above its limit. */
  tooLarge: 4,
} as const;
export type Progress = (typeof Progress)[keyof typeof Progress];

const malformed: Rejection = { status: 400, error: 'Malformed request' };
const uriTooLong: Rejection = { status: 414, error: 'URI too long' };
const headTooLarge: Rejection = { status: 431, error: 'Request header fields too large' };

/** Reads the requests of a connection, one after the other, and holds them against the limits. */
export class RequestReader {
  readonly parser = new Parser(requestType);
  readonly head = new RequestHead(this.parser);
  /** When the first byte of an incomplete head came; 0: none came. */
  headStarted = 0;
  /** Bytes of the body of the request under way that were read. */
  bodyReceived = 0;
  rejection: Rejection = malformed;
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Parses up to the end of the request. `underWay`: its head was read before. */
  read(chunk: Buffer, underWay: boolean): Progress {
    const { parser } = this;
    const outcome = parser.execute(chunk);
    if (outcome === 'broken') return this.#broken(underWay);
    if (!parser.headDone) return this.#partial();
    const received = bodyBytes(parser);
    if (parser.overhead > framingOverhead) return this.#reject(malformed);
    if (underWay) this.bodyReceived += received;
    else {
      this.headStarted = 0;
      this.bodyReceived = received;
      const rejection = this.head.read(this.#limits);
      if (rejection) return this.#reject(rejection);
    }
    const { bodyBytes: limit } = this.#limits;
    if (limit > 0 && Math.max(this.head.contentLength, this.bodyReceived) > limit) {
      return Progress.tooLarge;
    }
    return underWay ? Progress.body : Progress.head;
  }

  /** What of the chunk lies behind the request (RFC 9112 section 9.3.2, pipelining); often nothing. */
  rest(chunk: Buffer): Buffer | undefined {
    const { messageDone, consumed } = this.parser;
    return messageDone && consumed < chunk.length ? chunk.subarray(consumed) : undefined;
  }

  /** The head is not complete yet: it must not grow for ever. */
  #partial(): Progress {
    const { headBytes, blankBytes, targetEnd, targetStart, fieldCount } = this.parser;
    if (targetEnd - targetStart > this.#limits.targetBytes) return this.#reject(uriTooLong);
    if (headBytes + blankBytes > this.#limits.headBytes || fieldCount > this.#limits.fields) {
      return this.#reject(headTooLarge);
    }
    if (this.headStarted === 0 && headBytes > 0) this.headStarted = now();
    return Progress.partial;
  }

  /** When just the head could be read, it may say more precisely what is wrong. */
  #broken(underWay: boolean): Progress {
    const known = this.parser.headDone && !underWay ? this.head.read(this.#limits) : undefined;
    return this.#reject(known ?? malformed);
  }

  #reject(rejection: Rejection): Progress {
    this.rejection = rejection;
    return Progress.rejected;
  }
}
