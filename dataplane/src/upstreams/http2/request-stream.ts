import { type ClientHttp2Stream, constants } from 'node:http2';
import { bodyBytes, bodyPiece } from '../../http1/body-text.ts';
import type { Message } from '../../http1/message.ts';
import { Body } from '../../http1/request-head.ts';
import { ResponseHead } from '../../http1/response-head.ts';
import { requestFields } from '../../http2/field-list.ts';
import { type FieldList, FramedMessage } from '../../http2/framed-message.ts';
import type { Failure, ResponseSink, UpstreamStream } from '../stream.ts';
import type { UpstreamSession } from './session.ts';

const interimLimit = 16;
const endStreamFlag = constants.NGHTTP2_FLAG_END_STREAM;
const empty = Buffer.alloc(0);

/**
 * A stream of `node:http2` that knows whom to tell. Nobody, once it is closed: V8 tends to keep streams for
 * some collections longer, and they would keep all that belongs to a request.
 */
type Owned = ClientHttp2Stream & { owner: RequestStream | undefined };

/** One request to an endpoint that speaks HTTP/2, and its response. */
export class RequestStream implements UpstreamStream {
  readonly message = new FramedMessage();
  readonly head = new ResponseHead(this.message);
  answered = false;
  #session: UpstreamSession;
  #sink: ResponseSink | undefined;
  #http: Owned | undefined;
  #list: string[] = [];
  #sending = false;
  /** What is to be sent when its turn comes. */
  #first: Buffer | undefined;
  #requestDone = false;
  /** It may have trailers. */
  #mayTrail = false;
  #trailers: readonly string[] = [];
  #responseTrailers: FieldList | undefined;
  #interims = 0;
  #error: NodeJS.ErrnoException | undefined;
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
    return this.#send(sink, text, source, bodyOf(source, chunk));
  }

  sendHeld(sink: ResponseSink, text: string, _: boolean, source: Message, body: string): boolean {
    return this.#send(sink, text, source, body === '' ? undefined : Buffer.from(body, 'latin1'));
  }

  #send(sink: ResponseSink, text: string, source: Message, body: Buffer | undefined): boolean {
    this.#sink = sink;
    this.#list = requestFields(text, this.#session.scheme);
    this.#first = body;
    this.message.noBody = source.method === 'HEAD';
    this.#takeEnd(source);
    this.#mayTrail = this.#requestDone ? this.#trailers.length > 0 : !isGrpc(this.#list);
    this.#sending = true;
    this.#session.enter(this);
    this.#sending = false;
    return this.#http !== undefined && !this.#http.writableNeedDrain;
  }

  #takeEnd(source: Message) {
    this.#requestDone = source.messageDone;
    if (source.messageDone) this.#trailers = source.trailers;
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
    const first = this.#first;
    const endStream = this.#requestDone && !first && !this.#mayTrail;
    const http = this.#session.http.request(this.#list, {
      endStream,
      waitForTrailers: this.#mayTrail,
    }) as Owned;
    http.owner = this;
    this.#http = http;
    http.on('response', onResponse);
    http.on('headers', onHeaders);
    http.on('close', onClose);
    http.on('error', onError);
    if (this.#mayTrail) http.on('wantTrailers', onWantTrailers);
    this.#list = [];
    this.#first = undefined;
    if (endStream) return;
    this.#write(first);
    if (!this.#sending && !this.#requestDone && !http.writableNeedDrain)
      this.#sink?.onUpstreamWritable();
  }

  sendMore(source: Message, chunk: Buffer): boolean {
    this.#takeEnd(source);
    const body = bodyOf(source, chunk);
    if (this.#http) return this.#write(body);
    if (body) this.#first = this.#first ? Buffer.concat([this.#first, body]) : body;
    return false;
  }

  #write(body: Buffer | undefined): boolean {
    const http = this.#http;
    if (!http || http.destroyed) return true;
    if (this.#requestDone) {
      if (body) http.end(body);
      else http.end();
      return true;
    }
    if (!body || http.write(body)) return !http.writableNeedDrain;
    http.once('drain', onDrain);
    return false;
  }

  get paused(): boolean {
    return this.#http?.isPaused() === true;
  }

  pause() {
    this.#http?.pause();
  }

  resume() {
    if (this.#http?.isPaused()) this.#http.resume();
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
    this.#http?.close(constants.NGHTTP2_CANCEL);
    // What has come and was not read would hold it up.
    this.#http?.destroy();
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

  onHead(list: FieldList, ended: boolean) {
    const sink = this.#sink;
    if (!sink) return;
    this.answered = true;
    this.#session.heard = true;
    this.message.readResponse(list, ended);
    if (!this.head.read()) return this.fail('protocol', 'invalid framing');
    sink.onResponse(this, empty, true);
    if (this.#sink !== sink) return;
    if (ended) return this.#complete(sink);
    const http = this.#http;
    http?.on('trailers', onTrailers);
    http?.on('end', onEnd);
    http?.on('data', onData);
  }

  onInterim(list: FieldList) {
    const sink = this.#sink;
    if (!sink) return;
    this.answered = true;
    this.message.readResponse(list, false);
    // RFC 9113 section 8.6: there is no 101.
    const odd = !this.head.read() || this.head.status === 101 || ++this.#interims > interimLimit;
    if (odd) return this.fail('protocol', `unexpected ${this.head.status}`);
    sink.onInterim(this);
  }

  onData(chunk: Buffer) {
    const sink = this.#sink;
    if (!sink) return;
    this.#session.heard = true;
    // RFC 9110 section 6.4.1: whatever comes, it is not for the client.
    if (this.head.body === Body.none) return this.fail('protocol', 'unexpected body');
    this.message.readData(0, chunk.length);
    sink.onResponse(this, chunk, false);
  }

  onTrailers(list: FieldList) {
    this.#responseTrailers = list;
  }

  onEnd(http: ClientHttp2Stream) {
    const sink = this.#sink;
    // 'close' follows and tells why.
    if (!sink || !(this.#responseTrailers || hasEnded(http))) return;
    this.message.readEnd(this.#responseTrailers);
    sink.onResponse(this, empty, false);
    if (this.#sink === sink) this.#complete(sink);
  }

  #complete(sink: ResponseSink) {
    this.#sink = undefined;
    this.#session.used = true;
    // RFC 9113 section 8.1: the rest of the request is of no use.
    if (!this.#requestDone) this.#http?.close(constants.NGHTTP2_NO_ERROR);
    this.#leave();
    sink.onResponseEnd(this);
  }

  /** 'close' follows and does what there is to do. */
  onError(error: Error) {
    this.#error = error;
  }

  onDrain() {
    this.#sink?.onUpstreamWritable();
  }

  onClose(http: ClientHttp2Stream) {
    if (!this.#sink) return;
    const error = this.#error;
    const failure = this.#session.failureOf(http.id, http.rstCode, error?.code);
    this.fail(failure, error?.message || `code ${http.rstCode}`);
  }

  onWantTrailers(http: ClientHttp2Stream) {
    const fields: Record<string, string | string[]> = {};
    const list = this.#trailers;
    for (let i = 0; i + 1 < list.length; i += 2) {
      const name = (list[i] ?? '').toLowerCase();
      const value = list[i + 1] ?? '';
      const before = fields[name];
      fields[name] = before === undefined ? value : [before, value].flat();
    }
    http.sendTrailers(fields);
  }
}

/** What the message found in the chunk; undefined when that is nothing. */
function bodyOf(message: Message, chunk: Buffer): Buffer | undefined {
  return bodyBytes(message) === 0 ? undefined : bodyPiece(message, chunk);
}

/**
 * Whether END_STREAM came. `node:http2` emits 'end' for RST_STREAM as well, unless its code is an error:
 * but only for END_STREAM and an orderly close it has its own listener do the rest.
 */
function hasEnded(http: ClientHttp2Stream): boolean {
  return http.listenerCount('end') - http.listenerCount('end', http.destroy) > 1;
}

/** gRPC knows no trailers of requests. */
function isGrpc(list: readonly string[]): boolean {
  const at = list.indexOf('content-type');
  return at >= 0 && list[at + 1]?.startsWith('application/grpc') === true;
}

function onResponse(this: Owned, _: unknown, flags: number, raw: FieldList) {
  const { owner } = this;
  owner?.guard(() => owner.onHead(raw, (flags & endStreamFlag) !== 0));
}

function onHeaders(this: Owned, _: unknown, _flags: number, raw: FieldList) {
  const { owner } = this;
  owner?.guard(() => owner.onInterim(raw));
}

function onTrailers(this: Owned, _: unknown, _flags: number, raw: FieldList) {
  this.owner?.onTrailers(raw);
}

function onData(this: Owned, chunk: Buffer) {
  const { owner } = this;
  owner?.guard(() => owner.onData(chunk));
}

function onEnd(this: Owned) {
  const { owner } = this;
  owner?.guard(() => owner.onEnd(this));
}

function onDrain(this: Owned) {
  const { owner } = this;
  owner?.guard(() => owner.onDrain());
}

function onClose(this: Owned) {
  const { owner } = this;
  this.owner = undefined;
  owner?.guard(() => owner.onClose(this));
}

function onWantTrailers(this: Owned) {
  const { owner } = this;
  owner?.guard(() => owner.onWantTrailers(this));
}

function onError(this: Owned, error: Error) {
  this.owner?.onError(error);
}
