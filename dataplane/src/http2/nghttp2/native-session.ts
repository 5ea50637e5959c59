import type { Nghttp2, SessionLimits } from './nghttp2.ts';

/** A session in the memory of the module. Below 0 is an error of nghttp2; a trap is thrown. */
export class NativeSession {
  readonly #nghttp2: Nghttp2;
  #pointer: number;

  constructor(nghttp2: Nghttp2, role: 'client' | 'server', limits: SessionLimits) {
    this.#nghttp2 = nghttp2;
    this.#pointer = nghttp2.exports.session_new(
      role === 'server' ? 1 : 0,
      limits.mostStreams,
      limits.streamWindow,
      limits.connectionWindow,
      limits.mostListSize,
      limits.mostFields,
      limits.mostMemory,
    );
    nghttp2.refresh();
  }

  /** False: there was no memory for it. */
  get exists(): boolean {
    return this.#pointer !== 0;
  }

  free(): number {
    const pointer = this.#pointer;
    this.#pointer = 0;
    return pointer === 0 ? 0 : this.#nghttp2.exports.session_free(pointer);
  }

  /** After a trap: nothing of it is touched again. */
  abandon() {
    this.#pointer = 0;
    this.#nghttp2.trapped();
  }

  /** Reads `chunk` from `from` on, or a part of it when the module has paused. */
  receive(chunk: Buffer, from: number): number {
    this.#write('', chunk, from, chunk.length);
    return this.#nghttp2.exports.receive(this.#pointer, chunk.length - from);
  }

  /** Returns how many bytes are to be sent, about `most` at a time. */
  collect(most: number): number {
    return this.#nghttp2.exports.collect(this.#pointer, most);
  }

  wants(): number {
    return this.#nghttp2.exports.wants(this.#pointer);
  }

  allocated(): number {
    return this.#nghttp2.exports.allocated(this.#pointer);
  }

  /** Sends a request with the first `length` bytes of its body; returns the id of its stream. */
  request(text: string, body: Buffer, length: number, flags: number): number {
    this.#write(text, body, 0, length);
    return this.#nghttp2.exports.request(this.#pointer, text.length, length, flags);
  }

  respond(
    id: number,
    status: number,
    text: string,
    body: Buffer,
    length: number,
    flags: number,
  ): number {
    this.#write(text, body, 0, length);
    const { exports } = this.#nghttp2;
    return exports.respond(this.#pointer, id, status, text.length, length, flags);
  }

  interim(id: number, status: number, text: string): number {
    this.#write(text, empty, 0, 0);
    return this.#nghttp2.exports.interim(this.#pointer, id, status, text.length);
  }

  /** Returns how many bytes of the body wait. */
  data(id: number, chunk: Buffer, from: number, to: number, flags: number): number {
    this.#write('', chunk, from, to);
    return this.#nghttp2.exports.send_data(this.#pointer, id, to - from, flags);
  }

  trailers(id: number, text: string): number {
    this.#write(text, empty, 0, 0);
    return this.#nghttp2.exports.send_trailers(this.#pointer, id, text.length);
  }

  cut(id: number, code: number): number {
    return this.#nghttp2.exports.cut(this.#pointer, id, code);
  }

  refuseRest(id: number): number {
    return this.#nghttp2.exports.refuse_rest(this.#pointer, id);
  }

  reset(id: number, code: number): number {
    return this.#nghttp2.exports.reset(this.#pointer, id, code);
  }

  setFlowing(id: number, flowing: boolean): number {
    return this.#nghttp2.exports.set_flowing(this.#pointer, id, flowing ? 1 : 0);
  }

  ping(): number {
    return this.#nghttp2.exports.ping(this.#pointer);
  }

  notice(): number {
    return this.#nghttp2.exports.notice(this.#pointer);
  }

  goaway(code: number): number {
    return this.#nghttp2.exports.goaway(this.#pointer, code);
  }

  terminate(code: number): number {
    return this.#nghttp2.exports.terminate(this.#pointer, code);
  }

  /** Puts into the input of the module what a call is about. */
  #write(text: string, body: Buffer, from: number, to: number) {
    const at = this.#nghttp2.room(text.length + to - from);
    const { bytes } = this.#nghttp2;
    if (text !== '') bytes.write(text, at, 'latin1');
    if (to > from) body.copy(bytes, at + text.length, from, to);
  }
}

const empty = Buffer.alloc(0);
