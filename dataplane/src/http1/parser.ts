import {
  type Events,
  type Llhttp,
  llhttpOfThread,
  type ParserType,
  requestType,
} from './llhttp.ts';
import type { Message } from './message.ts';

/**
 * The parser of one connection. After `execute` it holds the head of the current message as one
 * latin1 string with the offsets of its parts, and the body of the last chunk as spans of it.
 * Nothing is cut out of the head until somebody asks for it.
 */
export class Parser implements Events, Message {
  /** The head, from the first byte of the message to the end of the last field value. */
  text = '';
  /** Request target, or the reason phrase of a response, as offsets into `text`. */
  targetStart = 0;
  targetEnd = 0;
  /** Four offsets a field line: name start, name end, value start, value end. */
  readonly spans: number[] = [];
  fieldCount = 0;
  status = 0;
  keepAlive = false;
  upgrade = false;
  headDone = false;
  messageDone = false;
  /** Two offsets into the last chunk for each piece of the body in it. */
  readonly body: number[] = [];
  bodyCount = 0;
  /** Trailer section (RFC 9112 section 7.1.2) as alternating names and values. */
  readonly trailers: string[] = [];
  /** Bytes of the last chunk that belong to this message. */
  consumed = 0;
  readonly framed = false;
  /** Set before the answer to HEAD is parsed (RFC 9112 section 6.3, rule 1). */
  noBody = false;
  /** A message has begun and is not complete: line ends before it do not count (RFC 9112 section 2.2). */
  begun = false;
  /** Bytes of such line ends. */
  blankBytes = 0;
  /** Bytes of framing (chunk sizes, extensions, trailers) since the last byte of body. */
  overhead = 0;

  readonly #llhttp: Llhttp;
  #pointer: number;
  #chunk: Buffer = empty;
  /** Bytes of the head that came in earlier chunks. */
  #earlier: Buffer = empty;
  /** Where the current chunk starts in the coordinates of the head. */
  #base = 0;
  #lastWasName = false;

  /** Bytes of the start line behind the target: " HTTP/1.1" of a request, nothing behind a reason. */
  readonly #behindTarget: number;

  constructor(type: ParserType) {
    this.#behindTarget = type === requestType ? 9 : 0;
    this.#llhttp = llhttpOfThread();
    this.#pointer = this.#llhttp.alloc(type);
  }

  /** Gives the memory back. The parser must not be used afterwards. */
  free() {
    if (this.#pointer !== 0) this.#llhttp.free(this.#pointer);
    this.#pointer = 0;
  }

  get headBytes(): number {
    return this.headDone ? this.text.length : this.#earlier.length;
  }

  /** Where the error is, in words for a log. */
  get reason(): string {
    return this.#llhttp.reason(this.#pointer);
  }

  get method(): string {
    return this.#llhttp.method(this.#pointer);
  }

  get version(): number {
    return this.#llhttp.version(this.#pointer);
  }

  /**
   * Parses a chunk up to the end of the message in it. 'paused': the message is complete and
   * `consumed` tells where the next one begins.
   */
  execute(chunk: Buffer) {
    this.bodyCount = 0;
    if (this.messageDone) {
      this.messageDone = false;
      this.headDone = false;
      this.begun = false;
    }
    this.#chunk = chunk;
    const outcome = this.#llhttp.execute(this.#pointer, this, chunk);
    this.consumed = outcome === 'more' ? chunk.length : this.#llhttp.consumed(this.#pointer);
    if (this.headDone) this.#countOverhead();
    else if (outcome === 'more' && this.begun) this.#keepHead(chunk);
    else if (outcome === 'more') this.blankBytes += chunk.length;
    this.#chunk = empty;
    return outcome;
  }

  nameAt(index: number): string {
    return this.text.slice(this.spans[4 * index], this.spans[4 * index + 1]);
  }

  /** Without the white space behind it (RFC 9112 section 5), which llhttp leaves in. */
  valueAt(index: number): string {
    const start = this.spans[4 * index + 2] ?? 0;
    let end = this.spans[4 * index + 3] ?? 0;
    while (end > start && blank(this.text.charCodeAt(end - 1))) end--;
    return this.text.slice(start, end);
  }

  #keepHead(chunk: Buffer) {
    this.#earlier = Buffer.concat([this.#earlier, chunk]);
    this.#base = this.#earlier.length;
  }

  #countOverhead() {
    if (this.bodyCount === 0) this.overhead += this.consumed;
    else this.overhead = this.consumed - (this.body[2 * this.bodyCount - 1] ?? 0);
  }

  onBegin() {
    this.begun = true;
    this.blankBytes = 0;
    this.fieldCount = 0;
    this.targetStart = 0;
    this.targetEnd = 0;
    this.headDone = false;
    this.messageDone = false;
    this.overhead = 0;
    this.#lastWasName = false;
    if (this.trailers.length > 0) this.trailers.length = 0;
  }

  onTarget(start: number, end: number) {
    const from = start + this.#base;
    // A span that continues in the next chunk is reported in pieces that touch.
    if (this.targetEnd === 0) this.targetStart = from;
    this.targetEnd = end + this.#base;
  }

  onName(start: number, end: number) {
    if (this.headDone) {
      this.#trailer(start, end, 0);
      return;
    }
    const at = 4 * this.fieldCount;
    const from = start + this.#base;
    if (this.#lastWasName && this.spans[at - 3] === from) {
      this.spans[at - 3] = end + this.#base;
      return;
    }
    this.#lastWasName = true;
    this.fieldCount++;
    this.spans[at] = from;
    this.spans[at + 1] = end + this.#base;
    this.spans[at + 2] = end + this.#base;
    this.spans[at + 3] = end + this.#base;
  }

  onValue(start: number, end: number) {
    if (this.headDone) {
      this.#trailer(start, end, 1);
      return;
    }
    const at = 4 * this.fieldCount;
    let from = start + this.#base;
    let to = end + this.#base;
    // llhttp reports an empty value behind the CRLF of its line; the text must end before it.
    if (from === to && this.#lastWasName) from = to -= 2;
    if (this.#lastWasName) this.spans[at - 2] = from;
    this.#lastWasName = false;
    this.spans[at - 1] = to;
  }

  onHead(status: number, upgrade: boolean, keepAlive: boolean): 0 | 1 {
    this.status = status;
    this.upgrade = upgrade;
    this.keepAlive = keepAlive;
    this.headDone = true;
    this.#lastWasName = false;
    // Without a reason phrase llhttp reports none: "HTTP/1.1 204" is all there is.
    const lineEnd = Math.max(this.targetEnd + this.#behindTarget, 12);
    const end = this.fieldCount > 0 ? (this.spans[4 * this.fieldCount - 1] ?? 0) : lineEnd;
    // With the CRLF of the last line, so that runs of lines can be copied as they are.
    const text = this.#textUpTo(end + 2);
    this.text = text.charCodeAt(end) === carriageReturn ? text : `${text.slice(0, end)}\r\n`;
    // What this chunk holds of the head is no framing of the body.
    this.overhead = Math.min(0, this.#base - end);
    this.#earlier = empty;
    this.#base = 0;
    return this.noBody ? 1 : 0;
  }

  #textUpTo(end: number): string {
    if (this.#base === 0) return this.#chunk.toString('latin1', 0, end);
    const rest = this.#chunk.subarray(0, Math.max(0, end - this.#base));
    return Buffer.concat([this.#earlier, rest]).toString('latin1', 0, end);
  }

  onBody(start: number, end: number) {
    this.body[2 * this.bodyCount] = start;
    this.body[2 * this.bodyCount + 1] = end;
    this.bodyCount++;
  }

  onComplete(): boolean {
    this.messageDone = true;
    return !this.upgrade;
  }

  /** Trailers are rare: they are cut out at once. `odd` is 0 for a name, 1 for a value. */
  #trailer(start: number, end: number, odd: 0 | 1) {
    const piece = this.#chunk.toString('latin1', start, end);
    const last = this.trailers.length - 1;
    if (this.trailers.length % 2 !== odd && last >= 0) this.trailers[last] += piece;
    else this.trailers.push(piece);
  }
}

function blank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

const empty = Buffer.alloc(0);
const carriageReturn = 0x0d;
