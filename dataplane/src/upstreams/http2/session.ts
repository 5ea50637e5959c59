import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { ErrorCode } from '../../http2/nghttp2/error-code.ts';
import type { SessionLimits } from '../../http2/nghttp2/nghttp2.ts';
import { Session } from '../../http2/nghttp2/session.ts';
import { SessionError, type SessionOwner as Told } from '../../http2/nghttp2/session-owner.ts';
import type { StreamOwner } from '../../http2/nghttp2/stream.ts';
import { createDeadline, type TimerWheel } from '../../state/timer-wheel.ts';
import { lifetimeSpread } from '../pool.ts';
import type { Failure } from '../stream.ts';
import type { RequestStream } from './request-stream.ts';

/** Who opened a session. */
export type SessionOwner = {
  /** A request that it has no place for: the peer allows fewer than was assumed. */
  moveOn(stream: RequestStream, from: UpstreamSession): void;
  /** It has a place for another request. */
  onRoom(session: UpstreamSession): void;
  /** It takes no more requests. */
  onRetired(session: UpstreamSession): void;
  forget(session: UpstreamSession): void;
};

/** Requests on one session, whatever the peer allows. */
export const mostStreams = 1024;
/** Until the peer has said what it allows (RFC 9113 section 6.5.2 recommends no less). */
const assumedStreams = 100;
/** Identifiers run out at 2^30 requests (RFC 9113 section 5.1.1). */
const mostRequests = 2 ** 29;
/** Milliseconds of silence before a session with requests on it is asked whether it is still there. */
const silence = 10_000;
/** Milliseconds that the answer may take. */
const pingTimeout = 5_000;
/** Milliseconds: gRPC servers take offence at more than two in that time while they have nothing to say. */
const pingPause = 300_000;

const limits: SessionLimits = {
  mostStreams: 0,
  streamWindow: 262_144,
  connectionWindow: 1_048_576,
  mostListSize: 65_536,
  mostFields: 1024,
  mostMemory: 268_435_456,
};

/** One HTTP/2 connection to an endpoint. Nothing is sent before the settings of the peer have come. */
export class UpstreamSession implements Told {
  readonly http: Session;
  /** On the clock of `now()`. */
  readonly openedAt: number;
  readonly spread = lifetimeSpread();
  readonly scheme: 'http' | 'https';
  /** It has answered before. */
  used = false;
  /** Requests on it, and those that wait for a place. */
  load = 0;
  /** It takes no more requests. */
  retired = false;
  /** The last one that the peer may have processed. */
  lastProcessed = Number.POSITIVE_INFINITY;
  /** Bytes were read since that was set to false. */
  heard = false;
  /** Requests the peer takes at once; Infinity until it said so. */
  #allowed = 0;
  #ready = false;
  #running = 0;
  #begun = 0;
  #waiting: RequestStream[] = [];
  #failure: Failure = 'connect';
  #detail = '';
  #pinging = false;
  #pingedAt = Number.NEGATIVE_INFINITY;
  /** Perhaps nobody is there. */
  #suspected = false;
  readonly #owner: SessionOwner;
  readonly #wheel: TimerWheel;
  readonly #deadline = createDeadline((at) => this.#expire(at));
  #idleTimeout = 0;

  /** @param connectTimeout milliseconds until the peer has sent its settings; 0: no limit. */
  constructor(
    socket: Socket,
    connectTimeout: number,
    owner: SessionOwner,
    wheel: TimerWheel,
    now: number,
  ) {
    this.openedAt = now;
    this.#owner = owner;
    this.#wheel = wheel;
    this.scheme = socket instanceof TLSSocket ? 'https' : 'http';
    if (socket instanceof TLSSocket) socket.on('secureConnect', () => this.#onSecured(socket));
    this.http = new Session(socket, 'client', limits, this);
    if (connectTimeout > 0) wheel.arm(this.#deadline, now + connectTimeout);
  }

  onStream(): StreamOwner {
    throw new Error('Cannot take a stream of an endpoint: none may be pushed');
  }

  onGoaway(last: number) {
    this.lastProcessed = last;
    this.retire();
  }

  onPing() {
    // It is answered.
  }

  /** A request that comes now need not wait, as far as is known. */
  get room(): boolean {
    return (
      !this.retired &&
      !this.#suspected &&
      this.load < (this.#ready ? this.#allowed : assumedStreams)
    );
  }

  /** Begins a request, or has it wait for its turn. The session has counted it before. */
  enter(stream: RequestStream) {
    if (this.#ready && this.#running < this.#allowed) this.#begin(stream);
    else this.#waiting.push(stream);
  }

  #begin(stream: RequestStream) {
    this.#running++;
    // Silence counts from now.
    if (this.#running === 1) this.#watch();
    if (++this.#begun >= mostRequests) this.retire();
    stream.guard(() => stream.begin());
  }

  /** A request is over, or goes elsewhere. `begun`: it had its turn. */
  leave(stream: RequestStream, begun: boolean) {
    this.load--;
    if (begun) this.#running--;
    else this.#waiting = this.#waiting.filter((other) => other !== stream);
    const next = this.#running < this.#allowed ? this.#waiting.shift() : undefined;
    if (next) this.#begin(next);
    if (!this.retired) return this.#owner.onRoom(this);
    if (this.load === 0) this.http.close();
  }

  /** Nobody uses it: it closes after so many milliseconds; 0: never. */
  idle(timeout: number) {
    this.#idleTimeout = timeout;
    if (timeout > 0) this.#wheel.arm(this.#deadline, this.#wheel.time() + timeout);
    else this.#wheel.remove(this.#deadline);
  }

  #watch() {
    this.heard = false;
    this.#wheel.arm(this.#deadline, this.#wheel.time() + silence);
  }

  /** Takes no more requests; those that wait go elsewhere. It closes when the others are over. */
  retire() {
    if (this.retired) return;
    this.retired = true;
    for (const stream of this.#waiting.splice(0)) this.#owner.moveOn(stream, this);
    this.#owner.onRetired(this);
    if (this.load === 0) this.http.close();
  }

  /** A request on it had no answer in time: perhaps nobody is there any more. */
  suspect() {
    if (!this.#ready || this.heard || this.#wheel.time() - this.#pingedAt < silence) return;
    this.#suspected = true;
    this.#ping();
  }

  #ping() {
    if (this.#pinging || this.http.closed) return;
    this.#pingedAt = this.#wheel.time();
    this.#pinging = true;
    this.http.ping();
    this.#wheel.arm(this.#deadline, this.#pingedAt + pingTimeout);
  }

  onPong() {
    this.#pinging = false;
    this.#suspected = false;
    if (this.#running > 0) this.#watch();
    else this.idle(this.#idleTimeout);
  }

  /** RFC 9113 section 3.2: over TLS the protocol is agreed upon. */
  #onSecured({ alpnProtocol }: TLSSocket) {
    if (alpnProtocol === 'h2') return;
    this.#failure = 'protocol';
    this.#detail = 'the endpoint does not agree on HTTP/2 (ALPN)';
    this.http.destroy();
  }

  onSettings(allowed: number) {
    this.#allowed = Math.min(allowed, mostStreams);
    if (!this.#ready) {
      this.#ready = true;
      this.#failure = 'reset';
      this.#wheel.remove(this.#deadline);
    }
    this.#owner.onRoom(this);
    while (this.#running < this.#allowed) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#begin(next);
    }
    // Whoever takes none at all now is not asked once more.
    if (this.#allowed === 0) return;
    for (const stream of this.#waiting.splice(0)) this.#owner.moveOn(stream, this);
  }

  #expire(at: number) {
    if (!this.#ready) {
      this.#failure = 'connect timeout';
      this.#detail = 'no settings of HTTP/2 in time';
      return this.http.destroy();
    }
    if (this.#pinging) {
      this.#detail = 'no answer to a PING in time';
      return this.http.destroy();
    }
    if (this.load === 0) {
      if (this.#idleTimeout > 0) this.retire();
      return;
    }
    if (this.heard) this.#pingedAt = Number.NEGATIVE_INFINITY;
    const asks = !this.heard && at - this.#pingedAt > pingPause;
    if (asks) this.#ping();
    else this.#watch();
  }

  onClose(error: Error | undefined) {
    this.#detail ||= error?.message ?? '';
    if (error instanceof SessionError) this.#failure = 'protocol';
    this.#wheel.remove(this.#deadline);
    this.retired = true;
    this.#owner.forget(this);
    const failure = this.#failure === 'reset' ? 'refused' : this.#failure;
    for (const stream of this.#waiting.splice(0)) stream.fail(failure, this.#detail);
  }

  /** Why a request on it failed whose stream was closed with this code (RFC 9113 section 7). */
  failureOf(id: number, code: number): Failure {
    if (code === ErrorCode.refusedStream || id > this.lastProcessed) return 'refused';
    if (this.#failure !== 'reset') return this.#failure;
    const broken =
      this.http.error instanceof SessionError ||
      code === ErrorCode.protocol ||
      code === ErrorCode.http11Required;
    return broken ? 'protocol' : 'reset';
  }

  /** What is to be said of it. */
  detailOf(code: number): string {
    return this.#detail || this.http.error?.message || `code ${code}`;
  }
}
