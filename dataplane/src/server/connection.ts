import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Client, type ClientTunnel, Exchange, type TunnelEnd } from '../exchange/exchange.ts';
import { startExchange } from '../exchange/filters.ts';
import { type Edits, noEdits } from '../http1/edits.ts';
import { errorReply, type Reply } from '../http1/reply.ts';
import type { Rejection } from '../http1/request-head.ts';
import type { LinkedListener } from '../link/runtime.ts';
import { now } from '../state/clock.ts';
import { createDeadline } from '../state/timer-wheel.ts';
import { closeInOrder, lingerTimeout } from './close-in-order.ts';
import { ForwardedLines } from './forwarded.ts';
import { peerCertificate } from './peer-certificate.ts';
import type { PortContext } from './port-context.ts';
import { requestIdOf } from './request-id.ts';
import { Progress, RequestReader } from './request-reader.ts';
import { drainable, ResponseWriter } from './response-writer.ts';

/** A client's HTTP/1.1 connection: reads requests one after the other and writes their responses. */
export class DownstreamConnection implements Client {
  readonly scheme: 'http' | 'https';
  readonly #socket: Socket;
  readonly #context: PortContext;
  readonly #reader: RequestReader;
  readonly writer: ResponseWriter;
  readonly #forwarded: ForwardedLines;
  readonly #forget: (connection: DownstreamConnection) => void;
  readonly #deadline = createDeadline((now) => this.#guard(() => this.#expire(now)));
  #exchange: Exchange | undefined;
  #listener: LinkedListener | undefined;
  /** Bytes that came behind the current request (RFC 9112 section 9.3.2, pipelining). */
  #backlog: Buffer | undefined;
  #ending = false;

  /** @param forget is called once it is closed. */
  constructor(
    socket: Socket,
    context: PortContext,
    forget: (connection: DownstreamConnection) => void,
  ) {
    this.#socket = socket;
    this.#context = context;
    this.#forget = forget;
    this.#reader = new RequestReader(context.limits);
    this.writer = new ResponseWriter(socket, context);
    this.scheme = context.scheme;
    this.#forwarded = new ForwardedLines(socket.remoteAddress ?? '', context.scheme, context.port);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('drain', () => this.#guard(() => this.#onDrain()));
    socket.on('end', () => this.#onClientEnd());
    // 'close' follows and does what there is to do.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#onClose());
    context.recorder.connections(1);
    this.arm(now() + context.limits.keepAliveTimeout);
  }

  /** Closes the connection once it is between two requests; at once when it is now. */
  drain() {
    if (!this.#exchange && this.#reader.headStarted === 0) this.#end();
  }

  destroy() {
    this.#socket.destroy();
  }

  /** A bug costs the request that met it, never the process. */
  #guard(run: () => void) {
    try {
      run();
    } catch (error) {
      this.#caught(error);
    }
  }

  #caught(error: unknown) {
    const exchange = this.#exchange;
    if (exchange) return this.fail(exchange, error);
    this.#context.recorder.bug(error);
    this.#socket.destroy();
  }

  fail(exchange: Exchange, error: unknown) {
    this.#context.recorder.bug(error);
    if (exchange.responseDone) this.#socket.destroy();
    else this.#giveUp(exchange, 500, 'Internal server error');
  }

  /** Reads what came before there was this connection. @param since when its first byte came. */
  begin(chunk: Buffer, since: number) {
    this.#reader.headStarted = since;
    this.#onData(chunk);
  }

  #onData(chunk: Buffer) {
    if (this.#ending) return;
    const exchange = this.#exchange;
    if (exchange?.requestDone) {
      const { tunnel } = exchange;
      if (tunnel) return this.#guard(() => tunnel.onClientBytes(chunk));
      this.#backlog = this.#backlog ? Buffer.concat([this.#backlog, chunk]) : chunk;
      this.#socket.pause();
      return;
    }
    try {
      this.#feed(chunk);
    } catch (error) {
      this.#caught(error);
    }
  }

  /** Parses until the input ends or a request is under way. */
  #feed(chunk: Buffer) {
    let rest: Buffer | undefined = chunk;
    while (rest && !this.#ending) rest = this.#step(rest);
  }

  #step(chunk: Buffer): Buffer | undefined {
    const { headTimeout } = this.#context.limits;
    const progress = this.#reader.read(chunk, this.#exchange !== undefined);
    switch (progress) {
      case Progress.partial:
        // The rest of the head must come soon.
        if (this.#reader.headStarted > 0) this.arm(this.#reader.headStarted + headTimeout);
        return undefined;
      case Progress.rejected:
        this.#refuse(this.#reader.rejection);
        return undefined;
      case Progress.head:
        this.#begin(chunk);
        break;
      default:
        this.#moreBody(progress, chunk);
    }
    const rest = this.#reader.rest(chunk);
    if (rest === undefined || this.#ending) return undefined;
    if (!this.#exchange && !this.writer.full) return rest;
    this.#backlog = rest;
    this.#socket.pause();
    return undefined;
  }

  #open(): Exchange {
    const { head, parser } = this.#reader;
    const exchange = new Exchange(this, head, requestIdOf(head), now());
    exchange.requestDone = parser.messageDone;
    this.#exchange = exchange;
    return exchange;
  }

  #begin(chunk: Buffer) {
    const exchange = this.#open();
    const listener = this.#context.listenerOf(exchange.head.host);
    this.#listener = listener;
    if (listener?.tls?.minVersion === 'TLSv1.3' && !this.#speaks13()) {
      // RFC 9110 section 7.4: the handshake was with another listener, which takes older clients.
      exchange.close = true;
      return this.reply(exchange, errorReply(421, 'Misdirected request'));
    }
    startExchange(exchange, listener, chunk);
  }

  #speaks13(): boolean {
    return this.#socket instanceof TLSSocket && this.#socket.getProtocol() === 'TLSv1.3';
  }

  #moreBody(progress: Progress, chunk: Buffer) {
    const { parser } = this.#reader;
    const exchange = this.#exchange ?? this.#open();
    this.#context.bodyRead(chunk.length);
    exchange.requestDone = parser.messageDone;
    if (exchange.responseDone) this.#drained(exchange);
    else if (progress === Progress.tooLarge) this.#giveUp(exchange, 413, 'Content too large');
    else exchange.action?.onRequestBody(parser, chunk);
  }

  /** The rest of a request that was answered early has been read. */
  #drained(exchange: Exchange) {
    if (exchange.requestDone) this.#next();
    else if (this.#reader.bodyReceived > 2 * drainable) this.#end();
  }

  /** The bytes are no request that may be forwarded (RFC 9112 section 2.2: respond and close). */
  #refuse({ status, error }: Rejection) {
    if (this.#exchange) this.#giveUp(this.#exchange, status, error);
    else this.#reject(status, error);
  }

  /** Ends an exchange whose request cannot be read to its end. */
  #giveUp(exchange: Exchange, status: number, error: string) {
    const { action } = exchange;
    exchange.action = undefined;
    exchange.close = true;
    action?.onClientGone();
    if (exchange.responseDone) this.#end();
    else if (exchange.responseStarted) this.cut(exchange);
    else this.reply(exchange, errorReply(status, error));
  }

  /** Answers a request that never became an exchange, and closes. */
  #reject(status: number, error: string) {
    if (this.#ending) return;
    this.#context.recorder.rejected(status);
    this.writer.reject(status, error);
    this.#end();
  }

  reply(exchange: Exchange, reply: Reply, edits: Edits = noEdits) {
    this.writer.reply(exchange, reply, edits, this.#reader.bodyReceived);
    this.finish(exchange);
  }

  finish(exchange: Exchange) {
    this.writer.end();
    this.#record(exchange);
    if (exchange.close) this.#end();
    else if (exchange.requestDone) this.#next();
    else {
      this.arm(exchange.endedAt + lingerTimeout);
      this.#socket.resume();
    }
  }

  #record(exchange: Exchange) {
    exchange.responseDone = true;
    exchange.action = undefined;
    exchange.endedAt = now();
    if (exchange.tunnel) this.#context.recorder.tunnels(-1);
    this.#context.recorder.exchange(exchange);
    if (exchange.atEnd) for (const ended of exchange.atEnd) ended(exchange);
  }

  cut(exchange: Exchange) {
    this.#record(exchange);
    this.#exchange = undefined;
    this.#ending = true;
    // A reset, since for an HTTP/1.0 client an orderly close would look like the end of the body.
    if (this.scheme === 'http') this.#socket.resetAndDestroy();
    else this.#socket.destroy(); // TLS: the missing close_notify tells (RFC 8446 section 6.1).
  }

  get tunnelEnd(): TunnelEnd {
    const { writer } = this;
    return {
      switchProtocol: (exchange, head, edits) => writer.switchProtocol(exchange, head, edits),
      open: (exchange, tunnel) => this.#openTunnel(exchange, tunnel),
      pass: (chunk) => writer.pass(chunk),
      end: () => void this.#socket.end(),
      close: (exchange) => {
        this.#record(exchange);
        this.#end();
      },
    };
  }

  #openTunnel(exchange: Exchange, tunnel: ClientTunnel) {
    exchange.tunnel = tunnel;
    exchange.action = tunnel;
    exchange.close = true;
    this.#context.recorder.tunnels(1);
    this.#socket.allowHalfOpen = true;
    const early = this.#backlog;
    this.#backlog = undefined;
    this.#socket.resume();
    if (early) tunnel.onClientBytes(early);
  }

  pause() {
    this.#socket.pause();
  }

  resume() {
    if (!this.#backlog) this.#socket.resume();
  }

  arm(at: number) {
    this.#context.wheel.arm(this.#deadline, at);
  }

  forwardedLines(exchange: Exchange): string {
    return this.#forwarded.lines(exchange.head, this.#listener?.trustedHops ?? 0);
  }

  clientAddress(exchange: Exchange): string {
    return this.#forwarded.clientAddress(exchange.head, this.#listener?.trustedHops ?? 0);
  }

  get trusted(): boolean {
    return (this.#listener?.trustedHops ?? 0) > 0;
  }

  clientCertificate() {
    return this.#socket instanceof TLSSocket ? peerCertificate(this.#socket) : undefined;
  }

  #next() {
    this.#exchange = undefined;
    if (this.#context.draining) return this.#end();
    this.arm(this.#context.wheel.time() + this.#context.limits.keepAliveTimeout);
    // Whoever sends requests without reading the answers would fill our memory with them.
    if (this.writer.full) this.#socket.pause();
    else if (this.#backlog !== undefined) this.#proceed();
  }

  #onDrain() {
    this.writer.full = false;
    if (this.#exchange) this.#exchange.action?.onClientWritable();
    else if (!this.#ending) this.#proceed();
  }

  #proceed() {
    const rest = this.#backlog;
    this.#backlog = undefined;
    this.#socket.resume();
    if (rest !== undefined) this.#feed(rest);
  }

  /** Closes in order: our side first, then what the client still sends is read and thrown away. */
  #end() {
    if (this.#ending) return;
    this.#ending = true;
    this.#exchange = undefined;
    this.#backlog = undefined;
    closeInOrder(this.#socket, (at) => this.arm(at), this.#context.limits.keepAliveTimeout);
  }

  #expire(now: number) {
    const exchange = this.#exchange;
    if (this.#ending) this.#socket.destroy();
    else if (exchange?.action) exchange.action.onDeadline(now);
    else if (exchange) this.#end();
    else if (this.#reader.headStarted > 0) this.#reject(408, 'Request timeout');
    else this.#end();
  }

  /** FIN of the client. Like nginx and Envoy we take it for an abort while a response is due. */
  #onClientEnd() {
    const tunnel = this.#ending ? undefined : this.#exchange?.tunnel;
    if (tunnel) this.#guard(() => tunnel.onClientEnd());
    else if (this.#exchange && !this.#exchange.responseDone) this.#socket.destroy();
    else this.#end();
  }

  #onClose() {
    const { recorder, wheel } = this.#context;
    wheel.remove(this.#deadline);
    recorder.connections(-1);
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#ending = true;
    this.#reader.parser.free();
    if (exchange && !exchange.responseDone) {
      const { action } = exchange;
      exchange.action = undefined;
      action?.onClientGone();
      if (!exchange.responseStarted) exchange.status = 499;
      this.#record(exchange);
    }
    this.#forget(this);
  }
}
