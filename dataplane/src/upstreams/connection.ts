import { connect, type Socket } from 'node:net';
import { heldText, writeBody } from '../http1/body-text.ts';
import { framingOverhead } from '../http1/limits.ts';
import { responseType } from '../http1/llhttp.ts';
import type { Message } from '../http1/message.ts';
import { Parser } from '../http1/parser.ts';
import { Body } from '../http1/request-head.ts';
import { ResponseHead } from '../http1/response-head.ts';
import { nextBuffer } from '../state/shared-buffer.ts';
import { createDeadline, type TimerWheel } from '../state/timer-wheel.ts';
import { lifetimeSpread } from './pool.ts';
import { isRefusal, type SecureConnector, type Security } from './security.ts';
import type { Failure, ResponseSink, UpstreamStream } from './stream.ts';

/** What an upstream sends through a tunnel goes here. */
export type UpstreamTunnel = {
  onUpstreamBytes(chunk: Buffer): void;
  onUpstreamWritable(): void;
  /** The upstream sends no more. */
  onUpstreamEnd(): void;
  /** The connection is closed, in order or not. */
  onUpstreamGone(): void;
};

/** Where a connection goes when it is idle, and who counts it. */
export type ConnectionOwner = {
  keep(connection: UpstreamConnection): void;
  forget(connection: UpstreamConnection): void;
};

export type ConnectionTarget = {
  address: string;
  port: number;
  /** Milliseconds, with the handshake of TLS; 0: no limit. */
  connectTimeout: number;
  /** Undefined: cleartext. */
  security: Security | undefined;
  connector: SecureConnector;
};

/** llhttp obeys Connection even among trailers, and then takes nothing more on the connection. */
function namesConnection(trailers: readonly string[]): boolean {
  return trailers.some((part, i) => i % 2 === 0 && /^(?:proxy-)?connection$/i.test(part));
}

const responseHeadBytes = 65_536;
const interimLimit = 16;
/** Milliseconds an upstream may take to read what a client sent through a tunnel before it went. */
const tunnelLinger = 10_000;

/** One HTTP/1.1 connection to an endpoint: one request at a time. */
export class UpstreamConnection implements UpstreamStream {
  readonly socket: Socket;
  readonly parser = new Parser(responseType);
  readonly head = new ResponseHead(this.parser);
  /** On the clock of `now()`. */
  readonly openedAt: number;
  readonly spread = lifetimeSpread();
  /** True from the second request on: the upstream may close it at any moment. */
  reused = false;
  /** True once a byte of the current response has arrived. */
  answered = false;
  /** Limit for connecting, then for idling in the pool. */
  readonly deadline = createDeadline(() => this.#expire());
  readonly #owner: ConnectionOwner;
  readonly #wheel: TimerWheel;
  #sink: ResponseSink | undefined;
  #tunnel: UpstreamTunnel | undefined;
  #connecting = true;
  #connectTimedOut = false;
  #headSeen = false;
  #interims = 0;
  #requestDone = false;
  #chunkedRequest = false;
  #error = '';

  constructor(target: ConnectionTarget, owner: ConnectionOwner, wheel: TimerWheel, now: number) {
    this.#owner = owner;
    this.#wheel = wheel;
    this.openedAt = now;
    this.socket = target.security
      ? this.#connectSecurely(target, target.security)
      : this.#connect(target);
    this.socket.on('end', () => this.#guard(() => this.#onEnd()));
    this.socket.on('error', (error) => {
      this.#error = error.message;
    });
    this.socket.on('drain', () => this.#guard(() => this.#onDrain()));
    this.socket.on('close', () => this.#guard(() => this.#onClose()));
    if (target.connectTimeout > 0) wheel.arm(this.deadline, now + target.connectTimeout);
  }

  #connect({ address, port }: ConnectionTarget): Socket {
    const socket = connect({
      host: address,
      port,
      noDelay: true,
      keepAlive: true,
      onread: {
        buffer: nextBuffer,
        callback: (length, bytes) => {
          this.#read((bytes as Buffer).subarray(0, length));
          return true;
        },
      },
    });
    socket.on('connect', () => this.#onConnect());
    return socket;
  }

  /** What TLS has decrypted is in buffers of their own. */
  #connectSecurely(target: ConnectionTarget, security: Security): Socket {
    const socket = target.connector.connect(target, security, 'http/1.1');
    socket.on('secureConnect', () => this.#onConnect());
    socket.on('error', (error) => {
      // For the endpoint the handshake was not over: it has not seen the request.
      if (!this.reused && !this.answered && isRefusal(error)) this.#connecting = true;
    });
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    return socket;
  }

  get idle(): boolean {
    return this.#sink === undefined;
  }

  send(
    sink: ResponseSink,
    text: string,
    chunked: boolean,
    source: Message,
    chunk: Buffer,
  ): boolean {
    this.#begin(sink, source.method === 'HEAD', source.messageDone);
    this.#chunkedRequest = chunked;
    return writeBody(this.socket, text, source, chunk, chunked);
  }

  sendHeld(
    sink: ResponseSink,
    text: string,
    chunked: boolean,
    source: Message,
    body: string,
  ): boolean {
    this.#begin(sink, source.method === 'HEAD', source.messageDone);
    this.#chunkedRequest = chunked;
    return this.socket.write(text + heldText(body, source, chunked), 'latin1');
  }

  #begin(sink: ResponseSink, head: boolean, requestDone: boolean) {
    this.#sink = sink;
    this.answered = false;
    this.#headSeen = false;
    this.#interims = 0;
    this.#requestDone = requestDone;
    this.parser.noBody = head;
  }

  sendMore(source: Message, chunk: Buffer): boolean {
    this.#requestDone = source.messageDone;
    return writeBody(this.socket, '', source, chunk, this.#chunkedRequest);
  }

  /** Reads no more HTTP: `tunnel` gets what comes. The connection never goes back to the pool. */
  openTunnel(tunnel: UpstreamTunnel) {
    this.#tunnel = tunnel;
    this.socket.allowHalfOpen = true;
  }

  /** Ends a tunnel whose client has gone in order: what it sent is still delivered. */
  closeTunnel() {
    this.#sink = undefined;
    this.#tunnel = undefined;
    if (this.socket.writableFinished) return void this.socket.destroy();
    this.socket.end(() => this.socket.destroy());
    this.#wheel.arm(this.deadline, this.#wheel.time() + tunnelLinger);
  }

  get paused(): boolean {
    return this.socket.isPaused();
  }

  pause() {
    this.socket.pause();
  }

  resume() {
    this.socket.resume();
  }

  /** Sends bytes through a tunnel. False: wait for `onUpstreamWritable`. */
  write(chunk: Buffer): boolean {
    return this.socket.write(chunk);
  }

  /** Sends nothing more through a tunnel. */
  end() {
    this.socket.end();
  }

  abort() {
    this.#sink = undefined;
    this.#tunnel = undefined;
    this.socket.destroy();
  }

  #onDrain() {
    if (this.#tunnel) this.#tunnel.onUpstreamWritable();
    else this.#sink?.onUpstreamWritable();
  }

  #onConnect() {
    this.#connecting = false;
    this.#wheel.remove(this.deadline);
  }

  #expire() {
    if (!this.#connecting) return void this.socket.destroy();
    this.#connectTimedOut = true;
    const error = new Error('no connection in time');
    this.socket.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
  }

  /** A bug on the way back costs this exchange, not the process. */
  #read(chunk: Buffer) {
    const sink = this.#sink;
    try {
      this.#onData(chunk);
    } catch (error) {
      this.#caught(error, sink);
    }
  }

  #guard(run: () => void) {
    const sink = this.#sink;
    try {
      run();
    } catch (error) {
      this.#caught(error, sink);
    }
  }

  #caught(error: unknown, sink: ResponseSink | undefined) {
    this.abort();
    sink?.onBug(error);
  }

  #onData(chunk: Buffer) {
    if (this.#tunnel) return this.#tunnel.onUpstreamBytes(chunk);
    let rest = chunk;
    while (rest.length > 0) {
      const sink = this.#sink;
      // Bytes nobody asked for: whatever they are, they are not the answer to the next request.
      if (!sink) return void this.socket.destroy();
      this.answered = true;
      const outcome = this.parser.execute(rest);
      if (outcome === 'broken') return this.#fail('protocol', this.parser.reason);
      const first = this.parser.headDone && !this.#headSeen;
      if (first && !this.head.read()) return this.#fail('protocol', 'invalid framing');
      if (!this.parser.headDone) {
        if (this.parser.headBytes > responseHeadBytes) this.#fail('protocol', 'head too large');
        return;
      }
      if (first && this.head.status < 200) {
        if (this.head.status === 101) {
          return this.#takeUpgrade(sink, rest.subarray(this.parser.consumed));
        }
        if (!this.#takeInterim(sink)) return;
        rest = rest.subarray(this.parser.consumed);
        continue;
      }
      this.#headSeen = true;
      if (this.parser.overhead > framingOverhead + responseHeadBytes) {
        return this.#fail('protocol', 'too much chunk framing');
      }
      sink.onResponse(this, rest, first);
      if (this.#sink !== sink) return;
      if (outcome === 'more') return;
      rest = rest.subarray(this.parser.consumed);
      this.#complete(sink, rest.length === 0);
    }
  }

  #takeInterim(sink: ResponseSink): boolean {
    if (++this.#interims > interimLimit) {
      this.#fail('protocol', `unexpected ${this.head.status}`);
      return false;
    }
    sink.onInterim(this);
    return this.#sink === sink;
  }

  #takeUpgrade(sink: ResponseSink, rest: Buffer) {
    // The rest is in the buffer of a read: the tunnel has it before the next one.
    if (sink.onUpgrade?.(this, rest)) this.parser.free();
    else this.#fail('protocol', 'unexpected 101');
  }

  #complete(sink: ResponseSink, clean: boolean) {
    this.#sink = undefined;
    this.reused = true;
    const usable = clean && this.head.keepAlive && this.#requestDone;
    if (usable && !namesConnection(this.parser.trailers)) this.#owner.keep(this);
    else this.socket.destroy();
    sink.onResponseEnd(this);
  }

  #onEnd() {
    if (this.#tunnel) return this.#tunnel.onUpstreamEnd();
    const sink = this.#sink;
    if (sink && this.#headSeen && this.head.body === Body.untilClose) {
      // RFC 9112 section 6.3, rule 8: the close is the end of the body.
      this.#complete(sink, false);
    }
    this.socket.destroy();
  }

  #onClose() {
    this.#wheel.remove(this.deadline);
    this.#owner.forget(this);
    this.parser.free();
    const tunnel = this.#tunnel;
    this.#tunnel = undefined;
    if (tunnel) return tunnel.onUpstreamGone();
    if (this.#connectTimedOut) this.#fail('connect timeout', 'no connection in time');
    else this.#fail(this.#connecting ? 'connect' : 'reset', this.#error || 'connection closed');
  }

  #fail(failure: Failure, detail: string) {
    const sink = this.#sink;
    this.#sink = undefined;
    this.socket.destroy();
    sink?.onFailure(this, failure, detail);
  }
}
