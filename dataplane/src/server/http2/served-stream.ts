import { constants, type ServerHttp2Stream } from 'node:http2';
import { type Client, Exchange } from '../../exchange/exchange.ts';
import { startExchange } from '../../exchange/filters.ts';
import { type Edits, noEdits } from '../../http1/edits.ts';
import { errorReply, type Reply } from '../../http1/reply.ts';
import { type Rejection, RequestHead } from '../../http1/request-head.ts';
import { type FieldList, FramedMessage } from '../../http2/framed-message.ts';
import { grpcReply } from '../../http2/grpc-reply.ts';
import type { LinkedListener } from '../../link/runtime.ts';
import { now } from '../../state/clock.ts';
import type { Deadline } from '../../state/timer-wheel.ts';
import { lingerTimeout } from '../close-in-order.ts';
import { requestIdOf } from '../request-id.ts';
import type { SessionContext } from './session-context.ts';
import { StreamWriter } from './stream-writer.ts';

const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants;

/** One request of an HTTP/2 connection and its response (RFC 9113 section 8.1). It is its own deadline. */
export class ServedStream implements Client, Deadline {
  at = 0;
  tick = 0;
  next: Deadline | undefined = undefined;
  previous: Deadline | undefined = undefined;
  readonly scheme: 'http' | 'https';
  readonly tunnelEnd = undefined;
  readonly writer: StreamWriter;
  readonly #stream: ServerHttp2Stream;
  readonly #session: SessionContext;
  readonly #message = new FramedMessage();
  readonly #head = new RequestHead(this.#message);
  #exchange: Exchange | undefined;
  #listener: LinkedListener | undefined;
  #bodyReceived = 0;
  #trailers: FieldList = [];

  constructor(stream: ServerHttp2Stream, session: SessionContext) {
    this.#stream = stream;
    this.#session = session;
    this.scheme = session.port.scheme;
    this.writer = new StreamWriter(stream, () => this.#guard(() => this.#onDrain()));
    stream.on('close', () => this.#onClose());
    // 'close' follows and does what there is to do.
    stream.on('error', ignoreError);
  }

  /** Serves the request with this head. `ended`: it has no body. */
  begin(list: FieldList, ended: boolean) {
    try {
      this.#begin(list, ended);
    } catch (error) {
      this.#caught(error);
    }
  }

  #begin(list: FieldList, ended: boolean) {
    const head = this.#head;
    this.#message.readRequest(list, ended);
    this.#session.headRead(this.#message.text.length);
    const rejection = targetProblem(this.#message, list) ?? head.read(this.#session.port.limits);
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
    if (!ended && !exchange.responseDone) this.#readBody();
  }

  #readBody() {
    const stream = this.#stream;
    stream.on('data', (chunk: Buffer) => this.#guard(() => this.#onData(chunk)));
    stream.on('trailers', (_fields, _flags, list) => {
      this.#trailers = list;
    });
    stream.on('end', () => this.#guard(() => this.#onEnd()));
  }

  #onData(chunk: Buffer) {
    const exchange = this.#exchange;
    if (!exchange || exchange.responseDone) return;
    this.#bodyReceived += chunk.length;
    this.#session.bodyRead(chunk.length);
    if (this.#tooLarge(this.#bodyReceived)) return;
    this.#message.readData(chunk);
    exchange.action?.onRequestBody(this.#message, chunk);
  }

  #onEnd() {
    const exchange = this.#exchange;
    if (!exchange || exchange.responseDone) return;
    this.#message.readEnd(this.#trailers);
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
    this.#stream.close(NGHTTP2_INTERNAL_ERROR);
  }

  fail(exchange: Exchange, error: unknown) {
    this.#session.port.recorder.bug(error);
    if (exchange.responseDone) this.#stream.close(NGHTTP2_INTERNAL_ERROR);
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
      setImmediate(refuseRest, this.#stream);
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
    this.#stream.close(NGHTTP2_INTERNAL_ERROR);
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
    else if (this.#stream.closed) this.#stream.destroy();
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

  #onDrain() {
    this.#exchange?.action?.onClientWritable();
  }

  #onClose() {
    this.#session.port.wheel.remove(this);
    const exchange = this.#exchange;
    if (exchange && !exchange.responseDone) {
      const { action } = exchange;
      exchange.action = undefined;
      this.#guard(() => action?.onClientGone());
      if (!exchange.responseStarted) exchange.status = 499;
      this.#record(exchange);
    }
    // V8 tends to keep streams for some collections longer: not all that belongs to a request with them.
    this.#exchange = undefined;
    this.#session.streamClosed();
  }
}

/** RFC 9113 section 8.3.1. nghttp2 checks the path only where the scheme is http or https. */
function targetProblem(
  { text, targetStart, method }: FramedMessage,
  list: FieldList,
): Rejection | undefined {
  const scheme = list[list.indexOf(':scheme') + 1];
  if (method === 'CONNECT') return undefined;
  if (scheme !== 'http' && scheme !== 'https') return { status: 400, error: 'Invalid scheme' };
  const first = text.charCodeAt(targetStart);
  return first === 0x2f || first === 0x2a
    ? undefined
    : { status: 400, error: 'Invalid request target' };
}

/**
 * Once the response has gone: when the end of the request has come already, and was not read, `node:http2`
 * would send the reset only.
 */
function refuseRest(stream: ServerHttp2Stream) {
  stream.close(NGHTTP2_NO_ERROR);
  // What has come and was not read would hold it up.
  stream.resume();
}

const empty = Buffer.alloc(0);

function ignoreError() {
  // A stream that was reset: it closes.
}
