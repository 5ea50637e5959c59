import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { now } from '../../state/clock.ts';
import { createDeadline, type TimerWheel } from '../../state/timer-wheel.ts';
import { type ClientHello, longestHello, readClientHello } from './client-hello.ts';
import { failureOf, type HandshakeFailure } from './handshake-failure.ts';

/** Records and a message at most, with the heads of many small records. */
const mostBytes = 4 * longestHello;
/** A fatal alert, decode_error (RFC 8446 section 6): for what is no TLS. */
const decodeError = Buffer.from([21, 3, 1, 0, 2, 2, 50]);

export type HandshakeEnd = TLSSocket | HandshakeFailure;

export type HandshakeOptions = {
  wheel: TimerWheel;
  /** Milliseconds from the first byte that can arrive to the end of the handshake. */
  timeout: number;
  /** Goes on with it, or says false: nobody serves that name. */
  admit(handshake: Handshake, hello: ClientHello): boolean;
  /** Is called once, when it has ended. */
  settle(handshake: Handshake, end: HandshakeEnd): void;
};

/** A connection whose client and the gateway do not yet understand each other. */
export class Handshake {
  readonly socket: Socket;
  readonly #options: HandshakeOptions;
  readonly #deadline = createDeadline(() => this.#fail('timeout'));
  readonly #onReadable = () => this.#read();
  readonly #onClose = () => this.#fail('closed');
  #bytes: Buffer = Buffer.alloc(0);
  #settled = false;

  constructor(socket: Socket, options: HandshakeOptions) {
    this.socket = socket;
    this.#options = options;
    socket.on('close', this.#onClose);
    socket.on('error', ignoreError);
    socket.on('readable', this.#onReadable);
    options.wheel.arm(this.#deadline, now() + options.timeout);
  }

  #read() {
    const chunk: Buffer | null = this.socket.read();
    // Nothing yet, or the client has ended: 'close' follows.
    if (chunk === null) return;
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    const hello = readClientHello(this.#bytes);
    if (hello === 'incomplete' && this.#bytes.length < mostBytes) return;
    this.socket.off('readable', this.#onReadable);
    if (typeof hello === 'string') {
      this.socket.write(decodeError);
      this.#fail('not_tls');
      return;
    }
    this.socket.unshift(this.#bytes);
    this.#bytes = Buffer.alloc(0);
    if (!this.#options.admit(this, hello)) this.#fail('no_listener');
  }

  /** The gate has ended it. */
  secured(socket: TLSSocket) {
    this.#settle(socket);
  }

  refused(error: Error) {
    this.#fail(failureOf(error));
  }

  /** Nobody waits for it. */
  drain() {
    // It is bounded by its deadline, and its first request is answered.
  }

  destroy() {
    this.#fail('closed');
  }

  #fail(failure: HandshakeFailure) {
    if (this.#settled) return;
    this.#settle(failure);
    // What was written of an alert goes out first.
    this.socket.destroySoon();
  }

  #settle(end: HandshakeEnd) {
    if (this.#settled) return;
    this.#settled = true;
    this.#options.wheel.remove(this.#deadline);
    this.socket.off('close', this.#onClose);
    this.socket.off('readable', this.#onReadable);
    this.#options.settle(this, end);
  }
}

function ignoreError() {
  // 'close' follows.
}
