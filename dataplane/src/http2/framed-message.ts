import type { Message } from '../http1/message.ts';
import type { Head } from './nghttp2/head.ts';

/** Names and values by turns; names are lower-case. */
export type FieldList = readonly string[];

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

  nameAt(index: number): string {
    return this.text.slice(this.spans[4 * index], this.spans[4 * index + 1]);
  }

  valueAt(index: number): string {
    return this.text.slice(this.spans[4 * index + 2], this.spans[4 * index + 3]);
  }
}
