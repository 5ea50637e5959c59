/** A documented request and what must come back. `make demo ARGS=--check` runs all of them. */
export type Check = {
  /** What it shows, in a few words. */
  shows: string;
  /** "GET /path" goes to the HTTP listener; "GET https://host/path" to the HTTPS one, with that name. */
  request: string;
  headers?: Record<string, string>;
  /** Speaks HTTP/2: by ALPN where it is HTTPS, else by prior knowledge. */
  http2?: boolean;
  /** Of HTTPS: speaks no newer version of TLS. */
  tlsMax?: '1.2' | '1.3';
  /** Sent as JSON. */
  body?: unknown;
  /** Opens a WebSocket and sends this; the body is what comes back. An answer that is not 101 counts as usual. */
  webSocket?: string;
  /**
   * Calls gRPC: the path is that of a method in this file, the headers are metadata. The body is the list of answers,
   * or the message of a call that failed.
   */
  grpc?: { proto: string; message: object };
  /** Reads so many server-sent events, then goes away; the body is the list of their data. */
  events?: number;
  /** So often the request was sent before, over the same connection, whatever came back. */
  after?: number;
  expect: Expectation;
  /** It is sent so often at one time, each over a connection of its own; all must be answered so. */
  atOnce?: number;
  /** It may take a moment: it is tried again for some seconds until it is so. */
  eventually?: boolean;
};

export type Expectation = {
  /** 0: there is none, as the version of TLS is refused in the handshake. Of gRPC: its own, 0 for OK. */
  status: number;
  /** Values that must be equal, or fit; `null`: the field must not be there. Names in lower case. */
  headers?: Record<string, string | RegExp | null>;
  /** A text, or a part of the JSON: fields that are not named may hold anything. */
  body?: unknown;
  /**
   * The request is sent as often as these numbers add up to, over one connection; so often each
   * instance must have answered.
   */
  servedBy?: Record<string, number>;
  /** The request is sent so often, over one connection; one instance must have answered all of them. */
  servedByOne?: number;
  /** So many requests each of these backends (by port) must have got more than before. */
  seenBy?: Record<number, number>;
};
