import type { Duplex } from 'node:stream';
import { Head } from './head.ts';
import { NativeSession } from './native-session.ts';
import { type Nghttp2, nghttp2OfThread, type SessionLimits } from './nghttp2.ts';
import { SessionError, type SessionOwner } from './session-owner.ts';
import { Stream, type StreamOwner } from './stream.ts';

export type Role = 'client' | 'server';

/** Bytes that are given to the socket in one piece. */
const mostAtOnce = 65_536;

const wantsNothing = 0;
/** Milliseconds that a peer has to end after us. */
const lingerTimeout = 2000;

/** One HTTP/2 connection on a socket, which it reads and writes alone. */
export class Session {
  readonly socket: Duplex;
  readonly #owner: SessionOwner;
  readonly #nghttp2: Nghttp2 = nghttp2OfThread();
  readonly #head: Head;
  readonly #streams = new Map<number, Stream>();
  readonly #server: boolean;
  readonly #native: NativeSession;
  #scheduled = false;
  /** Why it ended, unless in order. */
  error: Error | undefined;
  #closed = false;
  /** Nothing is read or sent any more. */
  #done = false;
  #ending = false;
  #lingering: NodeJS.Timeout | undefined;

  constructor(socket: Duplex, role: Role, limits: SessionLimits, owner: SessionOwner) {
    this.socket = socket;
    this.#owner = owner;
    this.#server = role === 'server';
    this.#head = new Head(this.#nghttp2);
    this.#native = new NativeSession(this.#nghttp2, role, limits);
    socket.on('data', (chunk: Buffer) => this.#onChunk(chunk));
    socket.on('drain', () => this.flush());
    socket.on('error', (error) => this.destroy(error));
    // A client that sends nothing more is gone, as with HTTP/1.1.
    socket.on('end', () => this.destroy());
    socket.on('close', () => this.destroy());
    socket.resume();
    if (!this.#native.exists) this.#fail('no memory');
    this.#schedule();
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#streams.size;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** It was asked to end, or ends by itself. */
  get ending(): boolean {
    return this.#ending || this.#done;
  }

  /** Bytes that the session has allocated in the module. */
  get allocated(): number {
    return this.#done ? 0 : this.#native.allocated();
  }

  /** A stream for a request of ours. */
  open(owner: StreamOwner): Stream {
    const stream = new Stream(this, 0);
    stream.owner = owner;
    return stream;
  }

  ping() {
    this.run((native) => native.ping());
  }

  /** Announces that the end is near (RFC 9113 section 6.8). */
  notice() {
    this.run((native) => native.notice());
  }

  /** Takes no more streams, and ends when those that are open have. */
  close() {
    if (this.ending) return;
    this.#ending = true;
    this.run((native) => native.goaway(0));
  }

  /** Sends GOAWAY with this code, and ends. */
  terminate(code: number) {
    this.#ending = true;
    this.run((native) => native.terminate(code));
  }

  destroy(error?: Error) {
    if (this.#closed) return;
    this.#closed = true;
    this.#done = true;
    this.error ??= error;
    clearTimeout(this.#lingering);
    this.#attempt((native) => native.free());
    this.socket.destroy();
    this.#closeStreams();
    this.#owner.onClose(this.error);
  }

  #closeStreams() {
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of streams) stream.onClose(internalError);
  }

  /** Sends a request on a stream of ours. */
  submit(stream: Stream, text: string, body: Buffer, length: number, flags: number): number {
    const id = this.run((native) => native.request(text, body, length, flags));
    if (id > 0) this.#streams.set(id, stream);
    else process.nextTick(() => stream.onClose(internalError));
    return id;
  }

  /** Nothing of this stream is told any more. */
  forget(id: number) {
    this.#streams.delete(id);
  }

  /** Calls the module, unless the session is over: 0 then. */
  run(call: (native: NativeSession) => number): number {
    if (this.#done) return 0;
    const result = this.#attempt(call);
    if (result < 0) this.#fail(`nghttp2 says ${result}`);
    else this.#schedule();
    return result;
  }

  /** A trap costs this connection, and nothing of it is touched again. */
  #attempt(call: (native: NativeSession) => number): number {
    try {
      return call(this.#native);
    } catch (error) {
      this.#native.abandon();
      this.#fail(String(error));
      return 0;
    } finally {
      this.#nghttp2.refresh();
    }
  }

  /** Nothing works any more. Whoever is on the way here must not find everything gone. */
  #fail(reason: string) {
    if (this.#done) return;
    this.#done = true;
    const error = new SessionError(`Cannot go on with an HTTP/2 session: ${reason}`);
    setImmediate(() => this.destroy(error));
  }

  #onChunk(chunk: Buffer) {
    const nghttp2 = this.#nghttp2;
    let at = 0;
    while (!this.#done) {
      const read = this.#attempt((native) => native.receive(chunk, at));
      if (this.#done) return;
      const { paused } = nghttp2;
      this.#dispatch(chunk, at);
      if (read < 0) return this.#fail(`nghttp2 says ${read}`);
      at += read;
      if (!paused) break;
    }
    // At once: what is read next may depend on the windows that are opened by that.
    this.flush();
  }

  /** What the last call has left. */
  #dispatch(chunk: Buffer, base: number) {
    try {
      this.#tell(chunk, base);
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #tell(chunk: Buffer, base: number) {
    const nghttp2 = this.#nghttp2;
    let at = nghttp2.events;
    const end = at + nghttp2.eventsLength;
    while (at < end && !this.#closed) {
      const { words } = nghttp2;
      const kind = words[at];
      const id = words[at + 1] ?? 0;
      switch (kind) {
        case 1:
          at = this.#onHead(id, at);
          break;
        case 2: {
          const from = base + (words[at + 2] ?? 0);
          const to = from + (words[at + 3] ?? 0);
          at += 4;
          this.#streams.get(id)?.onData(chunk, from, to);
          break;
        }
        case 3:
          at += 2;
          this.#streams.get(id)?.onEnd(noTrailers);
          break;
        case 4:
          at = this.#head.take(at);
          this.#streams.get(id)?.onEnd(this.#head.list());
          break;
        case 5:
          this.#onStreamClose(id, words[at + 2] ?? 0);
          at += 3;
          break;
        case 6:
          this.#owner.onGoaway(id, words[at + 2] ?? 0);
          at += 3;
          break;
        case 7:
          at += 2;
          this.#owner.onSettings(id >>> 0);
          break;
        case 8:
          at += 1;
          this.#owner.onPong();
          break;
        case 9:
          at += 1;
          this.#owner.onPing();
          break;
        default:
          at += 2;
          this.#streams.get(id)?.owner?.onWritable();
      }
    }
  }

  #onHead(id: number, at: number): number {
    const next = this.#head.take(at);
    let stream = this.#streams.get(id);
    if (!stream) {
      // A request of ours that was given up, or one that was broken before it was complete (RFC 9113 section 8.1.1).
      if (!this.#server || (!this.#head.ended && this.#nghttp2.failing)) return next;
      stream = new Stream(this, id);
      this.#streams.set(id, stream);
      stream.owner = this.#owner.onStream(stream);
    }
    stream.owner?.onHead(this.#head);
    return next;
  }

  #onStreamClose(id: number, code: number) {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    stream?.onClose(code);
  }

  #schedule() {
    if (this.#scheduled || this.#done) return;
    this.#scheduled = true;
    this.#nghttp2.schedule(this);
  }

  /** Sends what there is, as far as the socket takes it. */
  flush() {
    this.#scheduled = false;
    const nghttp2 = this.#nghttp2;
    while (!this.#done && !this.socket.writableNeedDrain) {
      const length = this.#attempt((native) => native.collect(mostAtOnce));
      if (this.#done) return;
      if (length < 0) return this.#fail(`nghttp2 says ${length}`);
      if (length > 0) {
        const out = Buffer.allocUnsafe(length);
        nghttp2.bytes.copy(out, 0, nghttp2.out, nghttp2.out + length);
        this.socket.write(out);
      }
      this.#dispatch(empty, 0);
      if (length === 0) break;
    }
    if (this.#done || this.socket.writableNeedDrain) return;
    if (this.#attempt((native) => native.wants()) === wantsNothing && !this.#done) this.#end();
  }

  /** All is said: the peer ends as well, or is cut off after a while. */
  #end() {
    this.#done = true;
    if (!this.#ending) this.error = new SessionError('The peer broke the rules of HTTP/2');
    this.socket.end(() => {
      if (this.#closed) return;
      if (this.#server) this.#lingering = setTimeout(() => this.destroy(), lingerTimeout);
      else this.destroy();
    });
    this.#closeStreams();
  }
}

const empty = Buffer.alloc(0);
const noTrailers: readonly string[] = [];
const internalError = 2;
