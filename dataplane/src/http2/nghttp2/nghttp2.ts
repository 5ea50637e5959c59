import { randomInt } from 'node:crypto';
import { reasonOf } from '../../http1/reply.ts';
import { nghttp2Wasm } from './generated/wasm.ts';

/**
 * nghttp2 with our sources in native/, as a module of WebAssembly: the only code that reads HTTP/2 from
 * strangers. What a call finds it leaves as events in memory, which are read when it has returned: no call
 * goes from there to here, besides for the time.
 */
type Exports = {
  memory: WebAssembly.Memory;
  __stack_pointer: { value: number };
  _initialize(): void;
  init(seed: number): void;
  shared_words(): number;
  input_room(size: number): number;
  set_reason(status: number, length: number): number;
  session_new(
    server: number,
    mostStreams: number,
    streamWindow: number,
    connectionWindow: number,
    mostListSize: number,
    mostFields: number,
    mostMemory: number,
  ): number;
  session_free(session: number): number;
  receive(session: number, length: number): number;
  collect(session: number, most: number): number;
  wants(session: number): number;
  allocated(session: number): number;
  request(session: number, text: number, body: number, flags: number): number;
  respond(
    session: number,
    stream: number,
    status: number,
    text: number,
    body: number,
    flags: number,
  ): number;
  interim(session: number, stream: number, status: number, text: number): number;
  send_data(session: number, stream: number, length: number, flags: number): number;
  send_trailers(session: number, stream: number, text: number): number;
  cut(session: number, stream: number, code: number): number;
  refuse_rest(session: number, stream: number): number;
  reset(session: number, stream: number, code: number): number;
  set_flowing(session: number, stream: number, flowing: number): number;
  ping(session: number): number;
  notice(session: number): number;
  terminate(session: number, code: number): number;
  goaway(session: number, code: number): number;
};

/** What the two sides allow each other. */
export type SessionLimits = {
  /** Streams that the peer may have open at once; a client allows none. */
  mostStreams: number;
  /** Bytes of a body that the peer sends before it waits, for each stream and for all together. */
  streamWindow: number;
  connectionWindow: number;
  /** Bytes of a head as RFC 9113 section 6.5.2 counts them: 32 for each field beside name and value. */
  mostListSize: number;
  mostFields: number;
  /** Bytes that the session may allocate, bodies that wait to be sent included. */
  mostMemory: number;
};

let shared: Nghttp2 | undefined;

/** The instance of this thread, made at first use. */
export function nghttp2OfThread(): Nghttp2 {
  shared ??= new Nghttp2();
  return shared;
}

/** One instance; a thread needs just one. */
export class Nghttp2 {
  readonly exports: Exports;
  /** All of its memory. */
  bytes: Buffer = Buffer.alloc(0);
  words: Int32Array = new Int32Array();
  readonly #shared: number;
  readonly #stackPointer: number;
  readonly #dirty: Flushed[] = [];
  readonly #flush = () => this.#flushAll();

  constructor() {
    const module = new WebAssembly.Module(Buffer.from(nghttp2Wasm, 'base64'));
    const instance = new WebAssembly.Instance(module, {
      env: { now: () => performance.now() / 1000 },
    });
    this.exports = instance.exports as Exports;
    this.#stackPointer = this.exports.__stack_pointer.value;
    this.exports._initialize();
    this.exports.init(randomInt(1, 2 ** 32));
    this.#shared = this.exports.shared_words() >> 2;
    this.#view();
    for (let status = 100; status < 600; status++) {
      const reason = reasonOf(status);
      if (reason === '') continue;
      const at = this.room(reason.length);
      this.bytes.write(reason, at, 'latin1');
      this.exports.set_reason(status, reason.length);
    }
  }

  #view() {
    this.bytes = Buffer.from(this.exports.memory.buffer);
    this.words = new Int32Array(this.exports.memory.buffer);
  }

  /** To be called when memory may have grown, which detaches the views. */
  refresh() {
    if (this.bytes.length === 0) this.#view();
  }

  /** Where so many bytes of input go. */
  room(size: number): number {
    const at = this.exports.input_room(size);
    if (at === 0) throw new Error('Cannot take input for nghttp2: no memory');
    this.refresh();
    return at;
  }

  /** Index of the first word of the events of the last call. */
  get events(): number {
    return (this.words[this.#shared] ?? 0) >> 2;
  }

  get eventsLength(): number {
    return this.words[this.#shared + 1] ?? 0;
  }

  /** Where the texts of its heads begin. */
  get heads(): number {
    return this.words[this.#shared + 2] ?? 0;
  }

  get out(): number {
    return this.words[this.#shared + 3] ?? 0;
  }

  /** The last call has read a part only, so that its events do not grow without bound. */
  get paused(): boolean {
    return this.words[this.#shared + 5] === 1;
  }

  /** What the last call has read ends the connection. */
  get failing(): boolean {
    return this.words[this.#shared + 6] === 1;
  }

  /** After a trap: its stack is what it was before the call, and no new connection goes to it. */
  trapped() {
    this.exports.__stack_pointer.value = this.#stackPointer;
    if (shared === this) shared = undefined;
  }

  /** Has the session flushed once all that came at the same time was read. */
  schedule(session: Flushed) {
    if (this.#dirty.push(session) === 1) setImmediate(this.#flush);
  }

  #flushAll() {
    for (const session of this.#dirty.splice(0)) session.flush();
  }
}

export type Flushed = { flush(): void };
