import type { Message } from '../http1/message.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { UpstreamConnection } from './connection.ts';

/** Why an upstream did not answer as it should. */
export type Failure =
  | 'connect'
  | 'connect timeout'
  | 'reset'
  | 'protocol'
  /** The upstream said that it did not process the request (RFC 9113 section 8.7). */
  | 'refused';

/** Who receives what an upstream answers to one request. */
export type ResponseSink = {
  /** A 1xx response, in `stream.head`. */
  onInterim(stream: UpstreamStream): void;
  /**
   * 101 came, in `connection.head`, and `rest` behind it. False: nobody asked for it. Whoever takes it has
   * called `openTunnel`.
   */
  onUpgrade?(connection: UpstreamConnection, rest: Buffer): boolean;
  /** A chunk was parsed. `first`: the head is in it. The end is told by `onResponseEnd`. */
  onResponse(stream: UpstreamStream, chunk: Buffer, first: boolean): void;
  /** The response is complete; the stream is not touched any more. */
  onResponseEnd(stream: UpstreamStream): void;
  /** The stream is gone before the response was complete. */
  onFailure(stream: UpstreamStream, failure: Failure, detail: string): void;
  /** The upstream takes more of the request body. */
  onUpstreamWritable(): void;
  /** The sink itself threw; the stream is gone. */
  onBug(error: unknown): void;
};

/** One request to an endpoint and its response: an HTTP/1.1 connection for as long, or a stream of HTTP/2. */
export type UpstreamStream = {
  /** Of the response. */
  readonly head: ResponseHead;
  /** The connection was used before: the upstream may close it at any moment. */
  readonly reused: boolean;
  /** A byte of the response has arrived. */
  readonly answered: boolean;
  /** Whether `pause` is in force. */
  readonly paused: boolean;
  /**
   * Sends a request head with what is there of the body: what `source` found in `chunk`. The head is that
   * of HTTP/1.1, latin1; `chunked`: it says so. Returns false when the caller should wait for
   * `onUpstreamWritable`.
   */
  send(sink: ResponseSink, text: string, chunked: boolean, source: Message, chunk: Buffer): boolean;
  /**
   * Sends a head with `body`, which was held (latin1, without framing); `source` tells whether more will
   * come. False as in `send`.
   */
  sendHeld(
    sink: ResponseSink,
    text: string,
    chunked: boolean,
    source: Message,
    body: string,
  ): boolean;
  /** Sends more of the request body: what `source` found in `chunk`. False as in `send`. */
  sendMore(source: Message, chunk: Buffer): boolean;
  /** Stops and restarts reading the response. */
  pause(): void;
  resume(): void;
  /** Gives the exchange up. Nothing is reported to the sink. */
  abort(): void;
};
