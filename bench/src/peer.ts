import type { Downstream, Route } from './scenario.ts';

/** A line for the person who watches. */
export type Notice = (line: string) => void;

export type Program = { kind: 'found'; program: string; version: string };

/** Why a peer cannot take part. A required one ends the run, any other is left out. */
export type Absence = { kind: 'absent'; reason: string; required: boolean };

/** Files with a certificate, its key, and both in one, all as PEM. */
export type Certificate = { certificate: string; key: string; pair: string };

/** What is spoken on either side of a peer; HTTP/1.1 in cleartext unless told. */
export type Wire = {
  downstream?: Downstream;
  upstream?: 'http1' | 'http2';
  /** What `tls` is served with. */
  certificate?: Certificate;
};

/** Where a peer must listen, what it must serve and where its requests go. */
export type Order = {
  site: { routes: readonly Route[]; addition?: string };
  /** An empty folder of its own, removed after the scenario. */
  folder: string;
  port: number;
  adminPort: number;
  backendPort: number;
  wire?: Wire;
  /** A file for the access log; what the peer prints on stdout goes there, too. Undefined: none is wanted. */
  accessLog?: string;
};

/** Where a peer's memory is read: the process with the most of it, or a Prometheus metric. */
export type MemorySource = { kind: 'process' } | { kind: 'metric'; url: string; metric: string };

/** Prometheus counters of tokens that were, and were not, found in a cache of verified ones. */
export type TokenCacheSource = { url: string; hits: string; misses: string };

export type Command = {
  program: string;
  args: readonly string[];
  memory: MemorySource;
  /** For a peer that can remember tokens; read only when it checks them. */
  tokenCache?: TokenCacheSource;
};

export type Peer = {
  /** Looks for the program; one that must be installed or built first says so through `notice`. */
  find(notice: Notice, signal: AbortSignal): Promise<Program | Absence>;
  /** Writes the configuration into the order's folder and returns what to run. Must stay in the foreground. */
  prepare(program: Program, order: Order): Promise<Command>;
};
