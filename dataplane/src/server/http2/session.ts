import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Session } from '../../http2/nghttp2/session.ts';
import type { SessionOwner } from '../../http2/nghttp2/session-owner.ts';
import type { Stream } from '../../http2/nghttp2/stream.ts';
import { now } from '../../state/clock.ts';
import { createDeadline } from '../../state/timer-wheel.ts';
import { lingerTimeout } from '../close-in-order.ts';
import { ForwardedLines } from '../forwarded.ts';
import { peerCertificate } from '../peer-certificate.ts';
import type { PortContext } from '../port-context.ts';
import { FloodWatch } from './flood-watch.ts';
import { misdirects } from './misdirected.ts';
import { ServedStream } from './served-stream.ts';
import type { SessionContext } from './session-context.ts';
import { sessionLimits, streamWindow } from './session-limits.ts';

/**
 * Milliseconds between the announcement of an end and the end (RFC 9113 section 6.8): what was sent before the
 * client read the first arrives meanwhile.
 */
const noticePeriod = 1000;

/** A client's HTTP/2 connection. */
export class DownstreamSession implements SessionContext, SessionOwner {
  readonly port: PortContext;
  readonly forwarded: ForwardedLines;
  readonly #socket: Socket;
  readonly #session: Session;
  readonly #watch: FloodWatch;
  readonly #forget: (session: DownstreamSession) => void;
  readonly #deadline = createDeadline(() => this.#expire());
  #streams = 0;
  #noticed = false;

  /** @param forget is called once it is closed. */
  constructor(socket: Socket, port: PortContext, forget: (session: DownstreamSession) => void) {
    this.#socket = socket;
    this.port = port;
    this.#forget = forget;
    this.forwarded = new ForwardedLines(socket.remoteAddress ?? '', port.scheme, port.port, '2.0');
    this.#session = new Session(socket, 'server', sessionLimits(port.limits), this);
    this.#watch = new FloodWatch(this.#session, socket, port.wheel);
    // Whatever is in it: frames that hold no body are read into buffers as large.
    socket.on('data', (chunk: Buffer) => port.bodyRead(chunk.length));
    port.recorder.connections(1);
    this.#armIdle();
  }

  onStream(stream: Stream) {
    this.#streams++;
    return new ServedStream(stream, this);
  }

  onSettings() {
    this.#watch.answered();
  }

  onPing() {
    this.#watch.answered();
  }

  onPong() {
    // None was asked for.
  }

  onGoaway() {
    // It sends no more requests; those that it has sent are served.
  }

  streamClosed() {
    if (--this.#streams > 0) return;
    if (this.#noticed || this.port.draining) {
      // Its response may still be on its way.
      this.#close(Math.max(lingerTimeout, this.port.limits.keepAliveTimeout));
    } else this.#armIdle();
  }

  answered() {
    if (this.port.leaving) this.#notice();
  }

  headRead(bytes: number) {
    this.#watch.budget.head(bytes);
  }

  bodyLeft(bytes: number) {
    this.#watch.budget.unread(Math.min(bytes, streamWindow));
  }

  bodyRead(bytes: number) {
    this.#watch.budget.body(bytes);
  }

  misdirected(host: string): boolean {
    if (!(this.#socket instanceof TLSSocket)) return false;
    const linked = this.port.linked();
    return linked !== undefined && misdirects(linked, this.#socket.servername || '', host);
  }

  clientCertificate() {
    return this.#socket instanceof TLSSocket ? peerCertificate(this.#socket) : undefined;
  }

  /** Lets what is under way end, and closes then. */
  drain() {
    if (this.#streams === 0) return this.#close();
    this.#notice();
    this.port.wheel.arm(this.#deadline, now() + noticePeriod);
  }

  /** Announces the end: the client sends no more, and what was on its way is served. */
  #notice() {
    if (this.#noticed || this.#session.ending) return;
    this.#noticed = true;
    this.#session.notice();
  }

  /**
   * Whoever does not close its side, or does not read what we still have to say, is cut off.
   * @param patience milliseconds until then.
   */
  #close(patience = lingerTimeout) {
    if (this.#session.closed) return;
    this.#session.close();
    if (this.#streams === 0) this.port.wheel.arm(this.#deadline, now() + patience);
  }

  destroy() {
    this.#session.destroy();
  }

  #armIdle() {
    this.port.wheel.arm(this.#deadline, now() + this.port.limits.keepAliveTimeout);
  }

  #expire() {
    if (this.#streams === 0 && this.#session.ending) this.#session.destroy();
    else if (this.#streams === 0 || this.port.draining) this.#close();
  }

  onClose() {
    this.#watch.close();
    this.port.wheel.remove(this.#deadline);
    this.port.recorder.connections(-1);
    this.#forget(this);
  }
}
