import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { startAction } from '../exchange/action.ts';
import { type Client, Exchange } from '../exchange/exchange.ts';
import { bodyBytes, writeBody } from '../http1/body-text.ts';
import { type Edits, noEdits } from '../http1/edits.ts';
import { framingOverhead, type Limits } from '../http1/limits.ts';
import { requestType } from '../http1/llhttp.ts';
import { Parser } from '../http1/parser.ts';
import { errorReply, type Reply } from '../http1/reply.ts';
import { replyText } from '../http1/reply-text.ts';
import { Body, RequestHead } from '../http1/request-head.ts';
import { informationalText, type ResponseHead, responseText } from '../http1/response-head.ts';
import type { LinkedListener } from '../link/runtime.ts';
import { now } from '../state/clock.ts';
import { createDeadline, type TimerWheel } from '../state/timer-wheel.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { ForwardedLines } from './forwarded.ts';

/** What the connections of one port share; one a thread. */
export type PortContext = {
  port: number;
  scheme: 'http' | 'https';
  limits: Limits;
  wheel: TimerWheel;
  recorder: Recorder;
  /** The listener of the runtime in force that serves this host. */
  listenerOf(host: string): LinkedListener | undefined;
  /** True once responses say that their connection closes (RFC 9112 section 9.6). */
  leaving: boolean;
  /** True once connections are closed after their response, whatever it said. */
  draining: boolean;
  forget(connection: DownstreamConnection): void;
};

/** Milliseconds a closed connection may still send, so that a client mid-upload reads its answer. */
const lingerTimeout = 2000;
/** A body this short is read to its end rather than closing the connection after an early answer. */
const drainable = 65_536;
const saneRequestId = /^[A-Za-z0-9._:+/=@-]{1,128}$/;

/** A client's HTTP/1.1 connection: reads requests one after the other and writes their responses. */
export class DownstreamConnection implements Client {
  readonly scheme: 'http' | 'https';
  readonly port: number;
  readonly #socket: Socket;
  readonly #context: PortContext;
  readonly #parser = new Parser(requestType);
  readonly #head = new RequestHead(this.#parser);
  readonly #forwarded: ForwardedLines;
  readonly #deadline = createDeadline((now) => this.#guard(() => this.#expire(now)));
  #exchange: Exchange | undefined;
  #listener: LinkedListener | undefined;
  /** Bytes that came behind the current request (RFC 9112 section 9.3.2, pipelining). */
  #backlog: Buffer | undefined;
  /** When the first byte of an incomplete head came; 0: none came. */
  #headStarted = 0;
  #bodyReceived = 0;
  /** The response is chunked by us and not ended yet. */
  #openChunks = false;
  #ending = false;

  constructor(socket: Socket, context: PortContext) {
    this.#socket = socket;
    this.#context = context;
    this.scheme = context.scheme;
    this.port = context.port;
    this.#forwarded = new ForwardedLines(socket.remoteAddress ?? '', context.scheme, context.port);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('drain', () => this.#guard(() => this.#onDrain()));
    socket.on('end', () => this.#onClientEnd());
    socket.on('error', ignoreError);
    socket.on('close', () => this.#onClose());
    context.recorder.connections(1);
    this.arm(now() + context.limits.keepAliveTimeout);
  }

  /** Closes the connection once it is between two requests; at once when it is now. */
  drain() {
    if (!this.#exchange && this.#headStarted === 0) this.#end();
  }

  destroy() {
    this.#socket.destroy();
  }

  /** A bug costs the request that met it, never the process. */
  #read(chunk: Buffer) {
    try {
      this.#onData(chunk);
    } catch (error) {
      this.#caught(error);
    }
  }

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
    if (exchange.responseDone) return void this.#socket.destroy();
    const { action } = exchange;
    exchange.action = undefined;
    exchange.close = true;
    action?.onClientGone();
    if (exchange.responseStarted) this.cut(exchange);
    else this.reply(exchange, errorReply(500, 'Internal server error'));
  }

  #onData(chunk: Buffer) {
    if (this.#ending) return;
    if (this.#exchange?.requestDone) {
      this.#backlog = this.#backlog ? Buffer.concat([this.#backlog, chunk]) : chunk;
      this.#socket.pause();
      return;
    }
    this.#feed(chunk);
  }

  /** Parses until the input ends or a request is under way. */
  #feed(chunk: Buffer) {
    let rest: Buffer | undefined = chunk;
    while (rest && !this.#ending) rest = this.#step(rest);
  }

  #step(chunk: Buffer): Buffer | undefined {
    const parser = this.#parser;
    const outcome = parser.execute(chunk);
    if (outcome === 'broken') {
      this.#malformed();
      return undefined;
    }
    if (!parser.headDone) {
      this.#awaitHead();
      return undefined;
    }
    if (this.#exchange) this.#moreBody(this.#exchange, chunk);
    else this.#begin(chunk);
    if (outcome !== 'paused') return undefined;
    const rest = chunk.subarray(parser.consumed);
    if (rest.length === 0 || this.#ending) return undefined;
    if (!this.#exchange && !this.#socket.writableNeedDrain) return rest;
    this.#backlog = rest;
    this.#socket.pause();
    return undefined;
  }

  /** The head is not complete yet: it must be soon, and must not grow for ever. */
  #awaitHead() {
    const { limits } = this.#context;
    const { headBytes, targetEnd, targetStart, fieldCount } = this.#parser;
    if (targetEnd - targetStart > limits.targetBytes) return this.#reject(414, 'URI too long');
    if (headBytes > limits.headBytes || fieldCount > limits.fields) {
      return this.#reject(431, 'Request header fields too large');
    }
    if (this.#headStarted !== 0 || headBytes === 0) return;
    this.#headStarted = now();
    this.arm(this.#headStarted + limits.headTimeout);
  }

  #begin(chunk: Buffer) {
    this.#headStarted = 0;
    this.#bodyReceived = bodyBytes(this.#parser);
    if (this.#parser.overhead > framingOverhead) return this.#malformed();
    const head = this.#head;
    const rejection = head.read(this.#context.limits);
    if (rejection) return this.#reject(rejection.status, rejection.error);
    const exchange = new Exchange(this, head, this.#requestId(), now());
    exchange.requestDone = this.#parser.messageDone;
    this.#exchange = exchange;
    const { bodyBytes: limit } = this.#context.limits;
    if (limit > 0 && Math.max(head.contentLength, this.#bodyReceived) > limit) {
      return this.#tooLarge(exchange);
    }
    this.#listener = this.#context.listenerOf(head.host);
    exchange.match = this.#listener?.router.match(head);
    startAction(exchange, this.#parser, chunk);
  }

  #requestId(): string {
    const at = this.#head.requestIdAt;
    if (at >= 0) {
      const given = this.#parser.valueAt(at);
      if (saneRequestId.test(given)) return given;
    }
    return randomUUID();
  }

  #moreBody(exchange: Exchange, chunk: Buffer) {
    const parser = this.#parser;
    exchange.requestDone = parser.messageDone;
    this.#bodyReceived += bodyBytes(parser);
    const { bodyBytes: limit } = this.#context.limits;
    if (parser.overhead > framingOverhead) this.#malformed();
    else if (exchange.responseDone) this.#drained(exchange);
    else if (limit > 0 && this.#bodyReceived > limit) this.#tooLarge(exchange);
    else exchange.action?.onRequestBody(parser, chunk);
  }

  #tooLarge(exchange: Exchange) {
    exchange.close = true;
    exchange.action?.onClientGone();
    if (exchange.responseStarted) this.cut(exchange);
    else this.reply(exchange, errorReply(413, 'Content too large'));
  }

  /** The rest of a request that was answered early has been read. */
  #drained(exchange: Exchange) {
    if (exchange.requestDone) this.#next();
    else if (this.#bodyReceived > 2 * drainable) this.#end();
  }

  /** The bytes are not HTTP/1.1 (RFC 9112 section 2.2: respond 400 and close). */
  #malformed() {
    const exchange = this.#exchange;
    if (!exchange) {
      // When just the head could be read, it may say more precisely what is wrong.
      const rejection = this.#parser.headDone ? this.#head.read(this.#context.limits) : undefined;
      return this.#reject(rejection?.status ?? 400, rejection?.error ?? 'Malformed request');
    }
    exchange.action?.onClientGone();
    exchange.close = true;
    if (exchange.responseDone) this.#end();
    else if (exchange.responseStarted) this.cut(exchange);
    else this.reply(exchange, errorReply(400, 'Malformed request'));
  }

  /** Answers a request that never became an exchange, and closes. */
  #reject(status: number, error: string) {
    if (this.#ending) return;
    const { recorder } = this.#context;
    const text = replyText(errorReply(status, error), {
      requestId: randomUUID(),
      edits: noEdits,
      close: true,
      http10: false,
      noBody: false,
    });
    recorder.rejected(status);
    this.#socket.write(text);
    this.#end();
  }

  reply(exchange: Exchange, reply: Reply, edits: Edits = noEdits) {
    const { head } = exchange;
    if (!exchange.requestDone) {
      const left = head.contentLength - this.#bodyReceived;
      const short = head.body === Body.length && left <= drainable && !head.expectsContinue;
      if (!short) exchange.close = true;
    }
    if (this.#context.leaving) exchange.close = true;
    exchange.status = reply.status;
    exchange.responseStarted = true;
    this.#socket.write(
      replyText(reply, {
        requestId: exchange.requestId,
        edits,
        close: exchange.close,
        http10: head.http10,
        noBody: head.method === 'HEAD',
      }),
    );
    this.finish(exchange);
  }

  interim(exchange: Exchange, head: ResponseHead) {
    // RFC 9110 section 15.2: never to an HTTP/1.0 client.
    if (!exchange.head.http10) this.#socket.write(informationalText(head, noEdits), 'latin1');
  }

  respond(
    exchange: Exchange,
    source: ResponseHead,
    chunk: Buffer,
    first: boolean,
    edits: Edits,
  ): boolean {
    const { http10 } = exchange.head;
    const chunked = source.body >= Body.chunked && !http10;
    if (!first) return writeBody(this.#socket, '', source.parser, chunk, chunked);
    if (!exchange.requestDone || this.#context.leaving) exchange.close = true;
    // RFC 9112 section 6.1: no chunks for HTTP/1.0, so the close is the end.
    if (http10 && source.body >= Body.chunked) exchange.close = true;
    exchange.status = source.status;
    exchange.responseStarted = true;
    this.#openChunks = chunked && source.body === Body.untilClose;
    const { requestId, close } = exchange;
    const text = responseText(source, { edits, requestId, http10, close });
    return writeBody(this.#socket, text, source.parser, chunk, chunked);
  }

  finish(exchange: Exchange) {
    if (this.#openChunks) this.#socket.write('0\r\n\r\n', 'latin1');
    this.#openChunks = false;
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
    this.#context.recorder.exchange(exchange);
  }

  cut(exchange: Exchange) {
    this.#record(exchange);
    this.#exchange = undefined;
    this.#ending = true;
    // A reset, since for an HTTP/1.0 client an orderly close would look like the end of the body.
    if (this.scheme === 'http') this.#socket.resetAndDestroy();
    // Only a TCP socket can be reset. The close_notify is missing (RFC 8446 section 6.1), which tells.
    else this.#socket.destroy();
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

  #next() {
    this.#exchange = undefined;
    if (this.#context.draining) return this.#end();
    this.arm(this.#context.wheel.time() + this.#context.limits.keepAliveTimeout);
    // Whoever sends requests without reading the answers would fill our memory with them.
    if (this.#socket.writableNeedDrain) this.#socket.pause();
    else if (this.#backlog !== undefined) this.#proceed();
  }

  #onDrain() {
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
    this.#socket.resume();
    if (this.#socket.writableLength === 0) {
      this.#socket.end();
      this.arm(now() + lingerTimeout);
      return;
    }
    // The client has yet to take its response: it gets as long as it might idle, then the same.
    this.arm(now() + Math.max(this.#context.limits.keepAliveTimeout, lingerTimeout));
    this.#socket.end(() => {
      if (!this.#socket.destroyed) this.arm(now() + lingerTimeout);
    });
  }

  #expire(now: number) {
    const exchange = this.#exchange;
    if (this.#ending) this.#socket.destroy();
    else if (exchange?.action) exchange.action.onDeadline(now);
    else if (exchange) this.#end();
    else if (this.#headStarted > 0) this.#reject(408, 'Request timeout');
    else this.#end();
  }

  /** FIN of the client. Like nginx and Envoy we take it for an abort while a response is due. */
  #onClientEnd() {
    if (this.#exchange && !this.#exchange.responseDone) this.#socket.destroy();
    else this.#end();
  }

  #onClose() {
    const { recorder, wheel } = this.#context;
    wheel.remove(this.#deadline);
    recorder.connections(-1);
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#ending = true;
    this.#parser.free();
    if (exchange && !exchange.responseDone) {
      const { action } = exchange;
      exchange.action = undefined;
      action?.onClientGone();
      if (!exchange.responseStarted) exchange.status = 499;
      this.#record(exchange);
    }
    this.#context.forget(this);
  }
}

function ignoreError() {
  // 'close' follows and does what there is to do.
}
