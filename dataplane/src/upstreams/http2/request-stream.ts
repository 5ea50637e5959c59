import { bodyBytes, trailerText } from '../../http1/body-text.ts';
import type { Message } from '../../http1/message.ts';
import { Body } from '../../http1/request-head.ts';
import { ResponseHead } from '../../http1/response-head.ts';
import { bodyView } from '../../http2/body-view.ts';
import { FramedMessage } from '../../http2/framed-message.ts';
import { ErrorCode } from '../../http2/nghttp2/error-code.ts';
import type { Head } from '../../http2/nghttp2/head.ts';
import type { Stream, StreamOwner } from '../../http2/nghttp2/stream.ts';
import type { Failure, ResponseSink, UpstreamStream } from '../stream.ts';
import type { UpstreamSession } from './session.ts';

const interimLimit = 16;
const empty = Buffer.alloc(0);

/** One request to an endpoint that speaks HTTP/2, and its response. */
export class RequestStream implements UpstreamStream, StreamOwner {
  readonly message = new FramedMessage();
  readonly head = new ResponseHead(this.message);
  answered = false;
  #session: UpstreamSession;
  #sink: ResponseSink | undefined;
  #http: Stream | undefined;
  #text = '';
  #sending = false;
  /** What is to be sent when its turn comes. */
  #first: Buffer = empty;
  #requestDone = false;
  /** Lines of the trailers that end the request; '' for none. */
  #trailers = '';
  #interims = 0;
  /** More waits to be sent than should. */
  #full = false;
  /** It holds a place of its session. */
  #counted = true;

  constructor(session: UpstreamSession) {
    this.#session = session;
    session.load++;
  }

  get reused(): boolean {
    return this.#session.used;
  }

  send(sink: ResponseSink, text: string, _: boolean, source: Message, chunk: Buffer): boolean {
    return this.#send(sink, text, source, bodyView(source, chunk));
  }

  sendHeld(sink: ResponseSink, text: string, _: boolean, source: Message, body: string): boolean {
    return this.#send(sink, text, source, Buffer.from(body, 'latin1'));
  }

  #send(sink: ResponseSink, text: string, source: Message, body: Buffer): boolean {
    this.#sink = sink;
    this.#text = text;
    this.#first = body;
    this.message.noBody = source.method === 'HEAD';
    this.#takeEnd(source);
    this.#sending = true;
    this.#session.enter(this);
    this.#sending = false;
    if (this.#http) return !this.#full;
    // It has to wait for its turn, and what was received may be overwritten meanwhile.
    if (this.#first.length > 0) this.#first = Buffer.from(this.#first);
    return false;
  }

  #takeEnd(source: Message) {
    this.#requestDone = source.messageDone;
    if (source.messageDone && source.trailers.length > 0) {
      this.#trailers = trailerText(source.trailers);
    }
  }

  /** Goes to another session. */
  move(session: UpstreamSession) {
    this.#session.leave(this, false);
    this.#session = session;
    session.load++;
    session.enter(this);
  }

  /** It is its turn. */
  begin() {
    const http = this.#session.http.open(this);
    this.#http = http;
    const ends = this.#requestDone && this.#trailers === '';
    const https = this.#session.scheme === 'https';
    this.#full = !http.request(this.#text, https, this.#first, ends);
    this.#text = '';
    this.#first = empty;
    if (this.#requestDone && !ends) http.trailers(this.#trailers);
    if (!this.#sending && !this.#requestDone && !this.#full) this.#sink?.onUpstreamWritable();
  }

  sendMore(source: Message, chunk: Buffer): boolean {
    this.#takeEnd(source);
    const http = this.#http;
    if (!http) {
      if (bodyBytes(source) > 0) {
        this.#first = Buffer.concat([this.#first, bodyView(source, chunk)]);
      }
      return false;
    }
    const body = bodyView(source, chunk);
    const ends = this.#requestDone && this.#trailers === '';
    if (body.length > 0 || ends) this.#full = !http.write(body, ends);
    if (this.#requestDone && !ends) http.trailers(this.#trailers);
    return !this.#full;
  }

  get paused(): boolean {
    return this.#http?.paused === true;
  }

  pause() {
    this.#http?.pause();
  }

  resume() {
    this.#http?.resume();
  }

  abort() {
    this.#sink = undefined;
    if (this.#http && !this.answered) this.#session.suspect();
    this.#drop();
  }

  fail(failure: Failure, detail: string) {
    const sink = this.#sink;
    this.#sink = undefined;
    this.#drop();
    sink?.onFailure(this, failure, detail);
  }

  #drop() {
    this.#http?.destroy(ErrorCode.cancel);
    this.#leave();
  }

  #leave() {
    if (!this.#counted) return;
    this.#counted = false;
    this.#session.leave(this, this.#http !== undefined);
  }

  /** A bug on the way back costs this exchange, not the process. */
  guard(run: () => void) {
    const sink = this.#sink;
    try {
      run();
    } catch (error) {
      this.abort();
      sink?.onBug(error);
    }
  }

  onHead(head: Head) {
    this.guard(() => {
      this.message.take(head);
      this.answered = true;
      if (head.status < 200) this.#onInterim();
      else this.#onHead(head.ended);
    });
  }

  #onHead(ended: boolean) {
    const sink = this.#sink;
    if (!sink) return;
    this.#session.heard = true;
    if (!this.head.read()) return this.fail('protocol', 'invalid framing');
    sink.onResponse(this, empty, true);
    if (ended && this.#sink === sink) this.#complete(sink);
  }

  #onInterim() {
    const sink = this.#sink;
    if (!sink) return;
    // RFC 9113 section 8.6: there is no 101.
    const odd = !this.head.read() || this.head.status === 101 || ++this.#interims > interimLimit;
    if (odd) return this.fail('protocol', `unexpected ${this.head.status}`);
    sink.onInterim(this);
  }

  onData(chunk: Buffer, from: number, to: number) {
    this.guard(() => {
      const sink = this.#sink;
      if (!sink) return;
      this.#session.heard = true;
      // RFC 9110 section 6.4.1: whatever comes, it is not for the client.
      if (this.head.body === Body.none) return this.fail('protocol', 'unexpected body');
      this.message.readData(from, to);
      sink.onResponse(this, chunk, false);
    });
  }

  onEnd(trailers: readonly string[]) {
    this.guard(() => {
      const sink = this.#sink;
      if (!sink) return;
      this.message.readEnd(trailers);
      sink.onResponse(this, empty, false);
      if (this.#sink === sink) this.#complete(sink);
    });
  }

  #complete(sink: ResponseSink) {
    this.#sink = undefined;
    this.#session.used = true;
    // RFC 9113 section 8.1: the rest of the request is of no use.
    if (!this.#requestDone) this.#http?.destroy(ErrorCode.none);
    this.#leave();
    sink.onResponseEnd(this);
  }

  onWritable() {
    this.#full = false;
    this.guard(() => this.#sink?.onUpstreamWritable());
  }

  onClose(code: number) {
    if (!this.#sink) return;
    const failure = this.#session.failureOf(this.#http?.id ?? 0, code);
    this.guard(() => this.fail(failure, this.#session.detailOf(code)));
  }
}
