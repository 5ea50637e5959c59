import type { Message } from '../http1/message.ts';
import { reasonOf } from '../http1/reply.ts';
import type { Head } from './nghttp2/head.ts';

/** Names and values by turns, as `node:http2` tells and takes them; names are lower-case. */
export type FieldList = readonly string[];

const versionText = ' HTTP/1.1\r\n';
/** Where the reason begins in "HTTP/1.1 200 OK". */
const reasonStart = 13;

/** A message that came in the frames of an HTTP/2 stream (RFC 9113 section 8.1). */
export class FramedMessage implements Message {
  text = '';
  targetStart = 0;
  targetEnd = 0;
  readonly spans: number[] = [];
  fieldCount = 0;
  method = '';
  status = 0;
  readonly version = 20;
  readonly framed = true;
  readonly keepAlive = true;
  readonly upgrade = false;
  messageDone = false;
  readonly body: number[] = [0, 0];
  bodyCount = 0;
  trailers: FieldList = [];
  noBody = false;

  /**
   * Takes the head of a request. `ended`: nothing follows it. nghttp2 has checked its fields and that the
   * pseudo-header fields are complete (RFC 9113 section 8.3.1).
   */
  readRequest(list: FieldList, ended: boolean) {
    let path = '';
    let authority: string | undefined;
    for (let i = 0; i < list.length; i += 2) {
      const name = list[i] ?? '';
      if (!name.startsWith(':')) break;
      const value = list[i + 1] ?? '';
      if (name === ':method') this.method = value;
      else if (name === ':path') path = value;
      else if (name === ':authority') authority = value;
    }
    this.targetStart = this.method.length + 1;
    this.targetEnd = this.targetStart + path.length;
    this.fieldCount = 0;
    this.text = `${this.method} ${path}${versionText}`;
    if (authority !== undefined) this.#add('host', authority);
    this.#addFields(list, authority);
    this.messageDone = ended;
  }

  /** Takes the head of a response, interim ones included. `ended`: nothing follows it. */
  readResponse(list: FieldList, ended: boolean) {
    // RFC 9113 section 8.3.2: the only pseudo-header field, and the first.
    this.status = Number(list[1]);
    const reason = reasonOf(this.status);
    this.targetStart = reasonStart;
    this.targetEnd = reasonStart + reason.length;
    this.fieldCount = 0;
    this.text = `HTTP/1.1 ${this.status} ${reason}\r\n`;
    this.#addFields(list, undefined);
    this.messageDone = ended;
  }

  /** Takes a head, interim ones included. */
  take(head: Head) {
    this.text = head.text;
    this.targetStart = head.targetStart;
    this.targetEnd = head.targetEnd;
    this.method = head.method;
    this.status = head.status;
    this.fieldCount = head.fieldCount;
    this.messageDone = head.ended;
    head.copySpans(this.spans);
  }

  /** Takes a piece of the body. */
  readData(from: number, to: number) {
    this.body[0] = from;
    this.body[1] = to;
    this.bodyCount = 1;
  }

  /** Nothing more comes. The last chunk is not heeded again. */
  readEnd(trailers: FieldList = []) {
    this.trailers = trailers;
    this.bodyCount = 0;
    this.messageDone = true;
  }

  /** @param authority what :authority says: a Host that says the same is left out (RFC 9113 section 8.3.1). */
  #addFields(list: FieldList, authority: string | undefined) {
    let cookies: string | undefined;
    for (let i = 0; i < list.length; i += 2) {
      const name = list[i] ?? '';
      const value = list[i + 1] ?? '';
      if (name.charCodeAt(0) === colon) continue;
      if (name === 'cookie') {
        // RFC 9113 section 8.2.3: in HTTP/1.1 crumbs are one field.
        cookies = cookies === undefined ? value : `${cookies}; ${value}`;
      } else if (name !== 'host' || value !== authority) this.#add(name, value);
    }
    if (cookies !== undefined) this.#add('cookie', cookies);
  }

  #add(name: string, value: string) {
    const { spans } = this;
    const at = 4 * this.fieldCount++;
    const start = this.text.length;
    spans[at] = start;
    spans[at + 1] = start + name.length;
    spans[at + 2] = start + name.length + 2;
    spans[at + 3] = start + name.length + 2 + value.length;
    this.text += `${name}: ${value}\r\n`;
  }

  nameAt(index: number): string {
    return this.text.slice(this.spans[4 * index], this.spans[4 * index + 1]);
  }

  valueAt(index: number): string {
    return this.text.slice(this.spans[4 * index + 2], this.spans[4 * index + 3]);
  }
}

const colon = 0x3a;
