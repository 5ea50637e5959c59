import type { Socket } from 'node:net';
import { now } from '../state/clock.ts';
import { createDeadline } from '../state/timer-wheel.ts';
import type { PortContext } from './port-context.ts';

export type HttpVersion = 'HTTP/2' | 'HTTP/1.1';

/** What every HTTP/2 connection begins with (RFC 9113 section 3.4). No request of HTTP/1.1 does. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** What the first bytes of a connection say of the version that its client speaks. */
export function greetingOf(bytes: Buffer): HttpVersion | 'unclear' {
  const length = Math.min(bytes.length, preface.length);
  if (bytes.compare(preface, 0, length, 0, length) !== 0) return 'HTTP/1.1';
  return length === preface.length ? 'HTTP/2' : 'unclear';
}

/**
 * A connection without TLS whose client has not said yet which version of HTTP it speaks: its first bytes tell
 * HTTP/2 with prior knowledge (RFC 9113 section 3.3).
 */
export class Greeting {
  /** All that was read. */
  bytes: Buffer = Buffer.alloc(0);
  /** When the first of them came. */
  since = 0;
  readonly #socket: Socket;
  readonly #context: PortContext;
  readonly #settle: (greeting: Greeting, version?: HttpVersion) => void;
  readonly #deadline = createDeadline(() => this.#expire());
  readonly #onData = (chunk: Buffer) => this.#read(chunk);
  readonly #onClose = () => this.#end();

  /** @param settle is called once; without a version when the client has gone. */
  constructor(
    socket: Socket,
    context: PortContext,
    settle: (greeting: Greeting, version?: HttpVersion) => void,
  ) {
    this.#socket = socket;
    this.#context = context;
    this.#settle = settle;
    socket.on('data', this.#onData);
    socket.on('error', ignoreError);
    socket.on('close', this.#onClose);
    context.recorder.connections(1);
    context.wheel.arm(this.#deadline, now() + context.limits.keepAliveTimeout);
  }

  #read(chunk: Buffer) {
    const { wheel, limits } = this.#context;
    if (this.since === 0) this.since = now();
    this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk]);
    const version = greetingOf(this.bytes);
    if (version !== 'unclear') this.#end(version);
    else wheel.arm(this.#deadline, this.since + limits.headTimeout);
  }

  /** What is no preface by now is the beginning of a request that is late. */
  #expire() {
    if (this.since > 0) this.#end('HTTP/1.1');
    else this.destroy();
  }

  #end(version?: HttpVersion) {
    this.#socket.off('data', this.#onData);
    this.#socket.off('close', this.#onClose);
    this.#context.wheel.remove(this.#deadline);
    this.#context.recorder.connections(-1);
    this.#settle(this, version);
  }

  /** Closes it unless it has begun to speak. */
  drain() {
    if (this.since === 0) this.destroy();
  }

  destroy() {
    this.#socket.destroy();
  }
}

function ignoreError() {
  // 'close' follows.
}
