import type { PeerName } from './peers/registry.ts';
import type { TokenLot } from './tokens.ts';

/** One path prefix that a peer forwards to the backend. */
export type Route = { name: string; prefix: string };

/** What an addition may depend on. */
export type Terms = {
  /** The load's tokens; undefined when it has none. */
  lot: TokenLot | undefined;
  /** How many requests a minute a limit lets through. */
  limit: number;
  /** Port of the scenario's Redis; undefined when it has none. */
  redisPort?: number | undefined;
};

/** What a peer is configured to serve. */
export type Site = {
  routes: readonly Route[];
  /**
   * Text in the peer's own configuration language, for what routes cannot say (a filter, a limit, a policy).
   * Each file in `peers/` says where it puts it.
   */
  addition?: string | ((terms: Terms) => string);
  /** The peer writes an access log, to the file of its order or to stdout, which is that file then. */
  accessLog?: boolean;
};

/**
 * Bearer tokens, taken in turn. A measurement goes on where the last one through the same proxy ended.
 * `repeated` ones must be found in a peer's token cache, if it has one; `fresh` ones never: they come round only
 * after all others, and must be more than any cache holds.
 */
export type Tokens = { count: number; kind: 'repeated' | 'fresh' };

/**
 * How clients talk to a proxy. All but `http2` is HTTP/1.1.
 * - `http1`: connections are kept.
 * - `http2`: in cleartext, with prior knowledge (RFC 9113 section 3.3); sent by h2load, the rest by wrk.
 * - `tls`: TLS 1.3; with `perRequest`, connections resume a session.
 * - `websocket`: connections are opened, and then echo messages at the load's rate.
 */
export type Downstream = 'http1' | 'http2' | 'tls' | 'websocket';

/** What clients send. The paths are taken in turn; all requests share the rest. */
export type Load = {
  connections: number;
  /** `http1` unless told. */
  downstream?: Downstream;
  /** Requests under way on each connection, with `http2`. */
  streams?: number;
  /** Each request comes on a connection of its own, so many at one time. */
  perRequest?: boolean;
  paths: readonly string[];
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  tokens?: Tokens;
  /** About so many requests a second, rather than as many as possible. */
  rate?: number;
};

/**
 * What an entrant must be seen to refuse before it is measured: requests without a good token (401 or 403), or more
 * requests than a small limit allows (429).
 */
export type Refusal = 'bad token' | 'excess';

/**
 * What the backend does with a request.
 * - `json`: answers 142 bytes at once.
 * - `sink`: takes the whole body, then answers the same.
 * - `file`: answers so many bytes.
 * - `grpc`: HTTP/2 in cleartext; takes one message and answers one, with trailers.
 * - `echo`: sends back the messages of WebSockets.
 */
export type Service = { kind: 'json' | 'sink' | 'grpc' | 'echo' } | { kind: 'file'; bytes: number };

/** A peer with a site, under the name that the results use. */
export type Entrant = {
  name: string;
  peer: PeerName;
  site: Site;
  refuses?: readonly Refusal[];
};

/** What a scenario demands. The names are those of entrants. */
export type Bar =
  | { kind: 'throughput'; of: string; to: string; atLeast: number }
  | { kind: 'p99'; of: string; to: string; atMost: number }
  | { kind: 'added-p99'; of: string; to: string; belowMs: number }
  | { kind: 'idle-memory'; of: string; belowMib: number }
  | { kind: 'open-memory'; of: string; belowMib: number };

export type Scenario = {
  name: string;
  /** Another name that runs it, together with others. */
  group?: string;
  /** One sentence for the top of the table. */
  summary: string;
  load: Load;
  /** `json` unless told. */
  service?: Service;
  /** A redis-server runs beside the backend; without one on the machine the scenario is left out. */
  redis?: boolean;
  entrants: readonly Entrant[];
  /** The entrant that the table's ratio column divides by. */
  reference: string;
  bars: readonly Bar[];
};
