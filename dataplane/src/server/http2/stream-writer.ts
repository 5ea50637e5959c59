import type { Exchange, ResponsePassage } from '../../exchange/exchange.ts';
import { bodyBytes, trailerText } from '../../http1/body-text.ts';
import { type Edits, noEdits } from '../../http1/edits.ts';
import type { Message } from '../../http1/message.ts';
import { errorReply, type Reply } from '../../http1/reply.ts';
import { hasBody, replyLines } from '../../http1/reply-text.ts';
import { Body } from '../../http1/request-head.ts';
import { framedLines, informationalLines, type ResponseHead } from '../../http1/response-head.ts';
import { bodyView } from '../../http2/body-view.ts';
import { noGrpcStatus } from '../../http2/grpc-status.ts';
import type { Stream } from '../../http2/nghttp2/stream.ts';
import { now } from '../../state/clock.ts';

/** Writes the response of one HTTP/2 stream. Whatever comes after the stream was closed is thrown away. */
export class StreamWriter implements ResponsePassage {
  readonly #stream: Stream;
  #ended = false;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** Answers what never became an exchange. */
  reject(status: number, error: string, requestId: string) {
    const reply = errorReply(status, error);
    this.#reply(reply, replyLines(reply, { requestId, edits: noEdits }), false);
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
    const bodiless = noBody || !hasBody(status);
    this.#stream.respond(status, lines, bodiless ? empty : body, true);
  }

  interim(_exchange: Exchange, head: ResponseHead) {
    this.#stream.interim(head.status, informationalLines(head));
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
    if (first) return this.#begin(exchange, source, edits, bodyView(message, chunk));
    if (this.#ended) return true;
    if (message.messageDone) return this.#last(message, bodyView(message, chunk));
    return bytes === 0 || this.#stream.write(bodyView(message, chunk), false);
  }

  #begin(exchange: Exchange, source: ResponseHead, edits: Edits, body: Buffer): boolean {
    const { message } = source;
    const { requestId, responseFields } = exchange;
    exchange.status = source.status;
    exchange.responseStarted = true;
    if (exchange.atEnd) exchange.respondedAt = now();
    const lines = framedLines(source, { edits, requestId, own: responseFields });
    exchange.bytesSent += lines.length;
    const bodiless = source.body === Body.none && body.length === 0;
    this.#ended = message.trailers.length === 0 && (bodiless || message.messageDone);
    const more = this.#stream.respond(source.status, lines, body, this.#ended);
    return message.messageDone && !this.#ended ? this.#last(message, empty) : more;
  }

  #last(message: Message, body: Buffer): boolean {
    this.#ended = true;
    const trailers = trailerText(message.trailers);
    if (trailers === '') return this.#stream.write(body, true);
    if (body.length > 0) this.#stream.write(body, false);
    this.#stream.trailers(trailers);
    return true;
  }

  /** Ends the body of a response whose own end was the close of the upstream. */
  end() {
    if (this.#ended) return;
    this.#ended = true;
    this.#stream.end();
  }
}

const empty = Buffer.alloc(0);
