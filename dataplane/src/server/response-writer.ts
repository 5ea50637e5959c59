import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Exchange, ResponsePassage } from '../exchange/exchange.ts';
import { upgradeLines } from '../exchange/upgrade.ts';
import { bodyBytes, writeBody } from '../http1/body-text.ts';
import { type Edits, noEdits } from '../http1/edits.ts';
import { errorReply, type Reply } from '../http1/reply.ts';
import { replyText } from '../http1/reply-text.ts';
import { Body } from '../http1/request-head.ts';
import {
  informationalText,
  type ResponseHead,
  responseText,
  switchText,
} from '../http1/response-head.ts';
import { now } from '../state/clock.ts';
import { keepChunk } from '../state/shared-buffer.ts';
import type { PortContext } from './port-context.ts';

/** A body this short is read to its end rather than closing the connection after an early answer. */
export const drainable = 65_536;

/** Writes responses to a client that speaks HTTP/1.1 or 1.0, and decides when they are the last. */
export class ResponseWriter implements ResponsePassage {
  readonly #socket: Socket;
  readonly #context: PortContext;
  /** The socket asked to wait for its drain. */
  full = false;
  /** The response is chunked by us and not ended yet. */
  #openChunks = false;

  constructor(socket: Socket, context: PortContext) {
    this.#socket = socket;
    this.#context = context;
  }

  /** Answers what never became an exchange. */
  reject(status: number, error: string) {
    const reply = errorReply(status, error);
    const plan = { edits: noEdits, close: true, http10: false, noBody: false };
    this.#send(replyText(reply, { ...plan, requestId: randomUUID() }));
  }

  /** A reply of the gateway. `received`: bytes of the request body that were read so far. */
  reply(exchange: Exchange, reply: Reply, edits: Edits, received: number) {
    const { head, requestId } = exchange;
    if (!exchange.requestDone) {
      const left = head.contentLength - received;
      const short = head.body === Body.length && left <= drainable && !head.expectsContinue;
      if (!short) exchange.close = true;
    }
    if (this.#context.leaving) exchange.close = true;
    exchange.status = reply.status;
    exchange.responseStarted = true;
    const { http10, method } = head;
    const plan = { requestId, edits, close: exchange.close, http10, noBody: method === 'HEAD' };
    const fields = reply.fields + exchange.responseFields;
    const bytes = replyText(fields === reply.fields ? reply : { ...reply, fields }, plan);
    exchange.bytesSent = bytes.length;
    this.#send(bytes);
  }

  interim(exchange: Exchange, head: ResponseHead) {
    // RFC 9110 section 15.2: never to an HTTP/1.0 client.
    if (!exchange.head.http10) this.#send(informationalText(head, noEdits));
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
    exchange.bytesSent += bodyBytes(source.message);
    if (!first) return this.#write('', source, chunk, chunked);
    if (!exchange.requestDone || this.#context.leaving) exchange.close = true;
    // RFC 9112 section 6.1: no chunks for HTTP/1.0, so the close is the end.
    if (http10 && source.body >= Body.chunked) exchange.close = true;
    exchange.status = source.status;
    exchange.responseStarted = true;
    if (exchange.atEnd) exchange.respondedAt = now();
    this.#openChunks = chunked && source.body === Body.untilClose;
    const { requestId, close, responseFields } = exchange;
    const text = responseText(source, { edits, requestId, http10, close, own: responseFields });
    exchange.bytesSent += text.length;
    return this.#write(text, source, chunk, chunked);
  }

  switchProtocol(exchange: Exchange, head: ResponseHead, edits: Edits) {
    exchange.status = head.status;
    exchange.responseStarted = true;
    if (exchange.atEnd) exchange.respondedAt = now();
    const own = upgradeLines(exchange.upgrade) + exchange.responseFields;
    const text = switchText(head, { edits, requestId: exchange.requestId, own });
    exchange.bytesSent = text.length;
    this.#send(text);
  }

  pass(chunk: Buffer): boolean {
    this.full = !this.#socket.write(chunk);
    if (this.#socket.writableLength > 0) keepChunk(chunk);
    return !this.full;
  }

  /** Text goes out as latin1. */
  #send(bytes: Buffer | string) {
    this.full = !this.#socket.write(bytes, 'latin1');
  }

  #write(text: string, { message }: ResponseHead, chunk: Buffer, chunked: boolean): boolean {
    const ready = writeBody(this.#socket, text, message, chunk, chunked);
    this.full = !ready;
    return ready;
  }

  /** Ends the body of a response whose own end was the close of the upstream. */
  end() {
    if (this.#openChunks) this.#send('0\r\n\r\n');
    this.#openChunks = false;
  }
}
