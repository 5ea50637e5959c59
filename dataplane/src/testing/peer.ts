import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type Message, type ReadOptions, readMessage } from './message.ts';

/** Milliseconds after which a wait is a failure; a busy machine is given time. */
const patience = 10_000;

/** The same for `expect.poll`. */
export const patient = { timeout: patience };

/** One end of a raw connection: keeps every byte, tells how the other side closed. */
export class Peer {
  readonly socket: Socket;
  /** Bytes that arrived and were not taken yet. */
  bytes: Buffer = Buffer.alloc(0);
  /** Every byte that ever arrived, latin1; left empty when `counting`. */
  all = '';
  /** Bytes that ever arrived. */
  total = 0;
  /** FIN has arrived. */
  ended = false;
  closed = false;
  /** Code of the error that closed the connection, e.g. "ECONNRESET". */
  error = '';
  /** Counts what arrives instead of keeping it. */
  counting = false;
  #wake: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.total += chunk.length;
      if (!this.counting) {
        this.all += chunk.toString('latin1');
        this.bytes = Buffer.concat([this.bytes, chunk]);
      }
      this.#notify();
    });
    socket.on('drain', () => this.#notify());
    socket.on('end', () => {
      this.ended = true;
      this.#notify();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message;
    });
    socket.on('close', () => {
      this.closed = true;
      this.#notify();
    });
  }

  #notify() {
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** True while neither side has closed. */
  get open(): boolean {
    return !this.ended && !this.closed;
  }

  write(bytes: string | Buffer) {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Writes in pieces that arrive one by one: each is its own segment. */
  async writePieces(pieces: readonly (string | Buffer)[]) {
    for (const piece of pieces) {
      this.write(piece);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** Sends FIN and goes on reading. */
  end() {
    this.socket.end();
  }

  reset() {
    this.socket.resetAndDestroy();
  }

  /**
   * Waits until `check` gives something.
   * @throws Error when it cannot any more, or not in time; it shows what had arrived.
   */
  async until<T>(what: string, check: (peer: Peer) => T | undefined | false): Promise<T> {
    const end = performance.now() + patience;
    for (;;) {
      const found = check(this);
      if (found !== undefined && found !== false) return found;
      const left = end - performance.now();
      if (this.closed || left <= 0) {
        const state = this.closed ? `closed ${this.error}` : this.ended ? 'ended' : 'open';
        throw new Error(
          `Cannot wait for ${what}: the connection is ${state}, ` +
            `${this.bytes.length} bytes ${JSON.stringify(this.bytes.toString('latin1', 0, 600))}`,
        );
      }
      const timer = new AbortController();
      const woken = new Promise<void>((resolve) => this.#wake.push(resolve));
      const timeout = wait(left, undefined, { signal: timer.signal, ref: true }).catch(ignoreAbort);
      await Promise.race([woken, timeout]);
      timer.abort();
    }
  }

  /** Takes the next complete message. */
  async message(options: ReadOptions = {}): Promise<Message> {
    const message = await this.until('a message', (peer) =>
      readMessage(peer.bytes, { closed: peer.ended, ...options }),
    );
    this.bytes = this.bytes.subarray(message.raw.length);
    return message;
  }

  /** Waits for the head of a message and leaves it where it is. */
  head(): Promise<string> {
    return this.until('a head', ({ bytes }) => {
      const end = bytes.indexOf('\r\n\r\n');
      return end >= 0 && bytes.toString('latin1', 0, end + 4);
    });
  }

  /** Waits for the text to arrive. */
  text(part: string): Promise<boolean> {
    return this.until(JSON.stringify(part), ({ bytes }) => bytes.includes(part, 0, 'latin1'));
  }

  /** Waits for FIN or RST. Returns 'end' or the code of the error. */
  close(): Promise<string> {
    return this.until('the close', (peer) => {
      if (peer.error !== '') return peer.error;
      return (peer.ended || peer.closed) && 'end';
    });
  }
}

function ignoreAbort() {
  // The wait was not needed any more.
}
