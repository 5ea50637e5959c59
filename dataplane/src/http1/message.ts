/**
 * A request or response as the data path reads it, whatever version of HTTP carried it: its head as text in
 * the form of HTTP/1.1, with offsets of its parts, and the body of the last chunk as spans of that chunk.
 */
export type Message = {
  /** Start line and field lines, latin1, each ended by CRLF. */
  readonly text: string;
  /** Request target, or the reason phrase of a response, as offsets into `text`. */
  readonly targetStart: number;
  readonly targetEnd: number;
  /** Four offsets a field line: name start, name end, value start, value end. */
  readonly spans: readonly number[];
  readonly fieldCount: number;
  /** Of a request; '' of a response. */
  readonly method: string;
  /** Of a response; 0 of a request. */
  readonly status: number;
  /** 10 and 11 for HTTP/1.0 and 1.1; 20. */
  readonly version: number;
  /** Frames tell where it ends (RFC 9113 section 8.1), whatever its fields say. */
  readonly framed: boolean;
  /** The connection can be used for another message. */
  readonly keepAlive: boolean;
  /** Upgrade is asked for, or granted (RFC 9110 section 7.8). */
  readonly upgrade: boolean;
  /** All of it has been read. */
  readonly messageDone: boolean;
  /** Two offsets into the last chunk for each piece of the body in it. */
  readonly body: readonly number[];
  readonly bodyCount: number;
  /** Trailer section as alternating names and values. */
  readonly trailers: readonly string[];
  /** A response that has no body whatever its head says (RFC 9112 section 6.3, rule 1). */
  readonly noBody: boolean;
  nameAt(index: number): string;
  /** Without white space around it. */
  valueAt(index: number): string;
};
