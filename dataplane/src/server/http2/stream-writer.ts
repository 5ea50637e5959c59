import type { ServerHttp2Stream, ServerStreamResponseOptions } from 'node:http2';
import type { Exchange, ResponsePassage } from '../../exchange/exchange.ts';
import { bodyBytes, bodyPiece } from '../../http1/body-text.ts';
import { type Edits, noEdits } from '../../http1/edits.ts';
import type { Message } from '../../http1/message.ts';
import { errorReply, type Reply } from '../../http1/reply.ts';
import { hasBody, replyLines } from '../../http1/reply-text.ts';
import { Body } from '../../http1/request-head.ts';
import { framedLines, type ResponseHead } from '../../http1/response-head.ts';
import { noGrpcStatus } from '../../http2/grpc-status.ts';
import { informationalFields, responseList, trailerFields } from '../../http2/response-fields.ts';
import { now } from '../../state/clock.ts';

type Options = ServerStreamResponseOptions & { sendDate: false };

/** Our lists have a Date unless the edits drop it. */
const withBody: Options = { sendDate: false };
const withoutBody: Options = { sendDate: false, endStream: true };
const withTrailers: Options = { sendDate: false, waitForTrailers: true };

/** Writes the response of one HTTP/2 stream. Whatever comes after the stream was closed is thrown away. */
export class StreamWriter implements ResponsePassage {
  readonly #stream: ServerHttp2Stream;
  readonly #onDrain: () => void;
  #ended = false;
  #trailers: readonly string[] = [];

  /** @param onDrain is called when the stream takes more after it had not. */
  constructor(stream: ServerHttp2Stream, onDrain: () => void) {
    this.#stream = stream;
    this.#onDrain = onDrain;
  }

  /** Answers what never became an exchange. */
  reject(status: number, error: string, requestId: string) {
    this.#reply(
      errorReply(status, error),
      replyLines(errorReply(status, error), { requestId, edits: noEdits }),
      false,
    );
  }

  /** A reply of the gateway. */
  reply(exchange: Exchange, reply: Reply, edits: Edits) {
    const { requestId, responseFields, head } = exchange;
    exchange.status = reply.status;
    exchange.grpcStatus = reply.grpcStatus ?? noGrpcStatus;
    exchange.responseStarted = true;
    const lines = responseFields + replyLines(reply, { requestId, edits });
    const noBody = head.method === 'HEAD';
    exchange.bytesSent = lines.length + (noBody ? 0 : reply.body.length);
    this.#reply(reply, lines, noBody);
  }

  #reply({ status, body }: Reply, lines: string, noBody: boolean) {
    this.#ended = true;
    if (this.#closed) return;
    const list = responseList(status, lines);
    if (noBody || body.length === 0 || !hasBody(status)) this.#stream.respond(list, withoutBody);
    else {
      this.#stream.respond(list, withBody);
      this.#stream.end(body);
    }
  }

  get #closed(): boolean {
    return this.#stream.closed || this.#stream.destroyed;
  }

  interim(_exchange: Exchange, head: ResponseHead) {
    if (!this.#closed) this.#stream.additionalHeaders(informationalFields(head));
  }

  respond(
    exchange: Exchange,
    source: ResponseHead,
    chunk: Buffer,
    first: boolean,
    edits: Edits,
  ): boolean {
    const { message } = source;
    const bytes = bodyBytes(message);
    exchange.bytesSent += bytes;
    if (first) this.#begin(exchange, source, edits, bytes);
    if (this.#closed || this.#ended) return true;
    if (message.messageDone) return this.#last(message, chunk, bytes);
    return bytes === 0 || this.#more(bodyPiece(message, chunk));
  }

  #begin(exchange: Exchange, source: ResponseHead, edits: Edits, bytes: number) {
    const { message } = source;
    const { requestId, responseFields } = exchange;
    exchange.status = source.status;
    exchange.responseStarted = true;
    if (exchange.atEnd) exchange.respondedAt = now();
    const lines = framedLines(source, { edits, requestId, own: responseFields });
    exchange.bytesSent += lines.length;
    if (this.#closed) return;
    const list = responseList(source.status, lines);
    const bodiless = source.body === Body.none && bytes === 0;
    if (bodiless && message.trailers.length === 0) {
      this.#ended = true;
      this.#stream.respond(list, withoutBody);
    } else if (endsApart(source)) {
      this.#stream.on('wantTrailers', () => this.#sendTrailers());
      this.#stream.respond(list, withTrailers);
    } else this.#stream.respond(list, withBody);
  }

  #more(piece: Buffer): boolean {
    if (this.#stream.write(piece)) return true;
    this.#stream.once('drain', this.#onDrain);
    return false;
  }

  #last(message: Message, chunk: Buffer, bytes: number): boolean {
    this.#trailers = message.trailers;
    this.#ended = true;
    if (bytes > 0) this.#stream.end(bodyPiece(message, chunk));
    else this.#stream.end();
    return true;
  }

  #sendTrailers() {
    if (!this.#closed) this.#stream.sendTrailers(trailerFields(this.#trailers));
  }

  /** Ends the body of a response whose own end was the close of the upstream. */
  end() {
    if (this.#ended) return;
    this.#ended = true;
    if (!this.#closed) this.#stream.end();
  }
}

/**
 * True when the end of the response is to be told by a frame of its own: with its trailers, or when it is not
 * there yet. Of a body that is cut, node:http2 would end the stream before it resets it.
 */
function endsApart({ message }: ResponseHead): boolean {
  return !message.messageDone || message.trailers.length > 0;
}
