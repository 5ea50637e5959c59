import { type Client, Exchange } from '../../exchange/exchange.ts';
import { startExchange } from '../../exchange/filters.ts';
import { type Edits, noEdits } from '../../http1/edits.ts';
import { errorReply, type Reply } from '../../http1/reply.ts';
import { type Rejection, RequestHead } from '../../http1/request-head.ts';
import { FramedMessage } from '../../http2/framed-message.ts';
import { grpcReply } from '../../http2/grpc-reply.ts';
import { ErrorCode } from '../../http2/nghttp2/error-code.ts';
import type { Head } from '../../http2/nghttp2/head.ts';
import type { Stream, StreamOwner } from '../../http2/nghttp2/stream.ts';
import type { LinkedListener } from '../../link/runtime.ts';
import { now } from '../../state/clock.ts';
import type { Deadline } from '../../state/timer-wheel.ts';
import { lingerTimeout } from '../close-in-order.ts';
import { requestIdOf } from '../request-id.ts';
import type { SessionContext } from './session-context.ts';
import { StreamWriter } from './stream-writer.ts';

/** One request of an HTTP/2 connection and its response (RFC 9113 section 8.1). It is its own deadline. */
export class ServedStream implements Client, Deadline, StreamOwner {
  at = 0;
  tick = 0;
  next: Deadline | undefined = undefined;
  previous: Deadline | undefined = undefined;
  readonly scheme: 'http' | 'https';
  readonly tunnelEnd = undefined;
  readonly writer: StreamWriter;
  readonly #stream: Stream;
  readonly #session: SessionContext;
  readonly #message = new FramedMessage();
  readonly #head = new RequestHead(this.#message);
  #exchange: Exchange | undefined;
  #listener: LinkedListener | undefined;
  #bodyReceived = 0;
  /** It was reset behind what waits to be sent. */
  #cut = false;

  constructor(stream: Stream, session: SessionContext) {
    this.#stream = stream;
    this.#session = session;
    this.scheme = session.port.scheme;
    this.writer = new StreamWriter(stream);
  }

  onHead(head: Head) {
    try {
      this.#message.take(head);
      this.#begin(head.scheme, head.ended);
    } catch (error) {
      this.#caught(error);
    }
  }

  #begin(scheme: number, ended: boolean) {
    const head = this.#head;
    this.#session.headRead(this.#message.text.length);
    const rejection = targetProblem(this.#message, scheme) ?? head.read(this.#session.port.limits);
    const requestId = requestIdOf(head);
    if (rejection) return this.#reject(rejection, requestId);
    const exchange = new Exchange(this, head, requestId, now());
    exchange.requestDone = ended;
    this.#exchange = exchange;
    if (this.#session.misdirected(head.host)) {
      return this.reply(exchange, errorReply(421, 'Misdirected request'));
    }
    if (!ended && this.#tooLarge(head.contentLength)) return;
    this.#listener = this.#session.port.listenerOf(head.host);
    startExchange(exchange, this.#listener, empty);
  }

  onData(chunk: Buffer, from: number, to: number) {
    this.#guard(() => this.#onData(chunk, from, to));
  }

  onEnd(trailers: readonly string[]) {
    this.#guard(() => this.#onEnd(trailers));
  }

  #onData(chunk: Buffer, from: number, to: number) {
    const exchange = this.#exchange;
    if (!exchange || exchange.responseDone) return;
    this.#bodyReceived += to - from;
    this.#session.bodyRead(to - from);
    if (this.#tooLarge(this.#bodyReceived)) return;
    this.#message.readData(from, to);
    exchange.action?.onRequestBody(this.#message, chunk);
  }

  #onEnd(trailers: readonly string[]) {
    const exchange = this.#exchange;
    if (!exchange || exchange.responseDone) return;
    this.#message.readEnd(trailers);
    exchange.requestDone = true;
    exchange.action?.onRequestBody(this.#message, empty);
  }

  #tooLarge(bytes: number): boolean {
    const { bodyBytes } = this.#session.port.limits;
    if (bodyBytes === 0 || bytes <= bodyBytes || !this.#exchange) return false;
    this.#giveUp(this.#exchange, 413, 'Content too large');
    return true;
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
    if (this.#exchange) return this.fail(this.#exchange, error);
    this.#session.port.recorder.bug(error);
    this.#stream.reset(ErrorCode.internal);
  }

  fail(exchange: Exchange, error: unknown) {
    this.#session.port.recorder.bug(error);
    if (exchange.responseDone) this.#stream.reset(ErrorCode.internal);
    else this.#giveUp(exchange, 500, 'Internal server error');
  }

  #giveUp(exchange: Exchange, status: number, error: string) {
    const { action } = exchange;
    exchange.action = undefined;
    action?.onClientGone();
    if (exchange.responseStarted) this.cut(exchange);
    else this.reply(exchange, errorReply(status, error));
  }

  /** Answers a request that never became an exchange. */
  #reject({ status, error }: Rejection, requestId: string) {
    this.#session.port.recorder.rejected(status);
    this.writer.reject(status, error, requestId);
    this.#leave(this.#message.messageDone);
  }

  reply(exchange: Exchange, reply: Reply, edits: Edits = noEdits) {
    this.writer.reply(exchange, exchange.grpc ? grpcReply(reply) : reply, edits);
    this.finish(exchange);
  }

  finish(exchange: Exchange) {
    this.writer.end();
    this.#record(exchange);
    this.#leave(exchange.requestDone);
  }

  /** What is left of the request is not wanted (RFC 9113 section 8.1); whoever reads too slowly is cut off. */
  #leave(requestDone: boolean) {
    if (!requestDone) {
      const length = this.#head.contentLength;
      this.#session.bodyLeft(length > 0 ? length - this.#bodyReceived : Infinity);
      this.#stream.refuseRest();
    }
    this.#session.answered();
    this.arm(this.#session.port.wheel.time() + this.#session.port.limits.keepAliveTimeout);
  }

  #record(exchange: Exchange) {
    exchange.responseDone = true;
    exchange.action = undefined;
    exchange.endedAt = now();
    this.#session.port.recorder.exchange(exchange);
    if (exchange.atEnd) for (const ended of exchange.atEnd) ended(exchange);
  }

  cut(exchange: Exchange) {
    this.#record(exchange);
    this.#reset();
  }

  /** What waits to be sent can hold a reset up for ever where the client does not read. */
  #reset() {
    this.#cut = true;
    this.#stream.cut(ErrorCode.internal);
    this.arm(this.#session.port.wheel.time() + lingerTimeout);
  }

  pause() {
    if (!this.#message.messageDone) this.#stream.pause();
  }

  resume() {
    if (!this.#message.messageDone) this.#stream.resume();
  }

  arm(at: number) {
    this.#session.port.wheel.arm(this, at);
  }

  expire(at: number) {
    const exchange = this.#exchange;
    if (exchange && !exchange.responseDone) this.#guard(() => exchange.action?.onDeadline(at));
    else if (this.#cut) this.#stream.destroy(ErrorCode.internal);
    else this.#reset();
  }

  forwardedLines(exchange: Exchange): string {
    return this.#session.forwarded.lines(exchange.head, this.#trustedHops);
  }

  clientAddress(exchange: Exchange): string {
    return this.#session.forwarded.clientAddress(exchange.head, this.#trustedHops);
  }

  get #trustedHops(): number {
    return this.#listener?.trustedHops ?? 0;
  }

  get trusted(): boolean {
    return this.#trustedHops > 0;
  }

  clientCertificate() {
    return this.#session.clientCertificate();
  }

  onWritable() {
    this.#guard(() => this.#exchange?.action?.onClientWritable());
  }

  onClose() {
    this.#session.port.wheel.remove(this);
    const exchange = this.#exchange;
    if (exchange && !exchange.responseDone) {
      const { action } = exchange;
      exchange.action = undefined;
      this.#guard(() => action?.onClientGone());
      if (!exchange.responseStarted) exchange.status = 499;
      this.#record(exchange);
    }
    this.#exchange = undefined;
    this.#session.streamClosed();
  }
}

/** RFC 9113 section 8.3.1. nghttp2 checks the path only where the scheme is http or https. */
function targetProblem(
  { text, targetStart, method }: FramedMessage,
  scheme: number,
): Rejection | undefined {
  if (method === 'CONNECT') return undefined;
  if (scheme !== 1 && scheme !== 2) return { status: 400, error: 'Invalid scheme' };
  const first = text.charCodeAt(targetStart);
  return first === 0x2f || first === 0x2a
    ? undefined
    : { status: 400, error: 'Invalid request target' };
}

const empty = Buffer.alloc(0);
