import type { PeerName } from './peers/registry.ts';

/** One path prefix that a peer forwards to the backend. */
export type Route = { name: string; prefix: string };

/** What a peer is configured to serve. */
export type Site = {
  routes: readonly Route[];
  /**
   * Text in the peer's own configuration language, for what routes cannot say (a filter, a limit, a policy).
   * Each file in `peers/` says where it puts it.
   */
  addition?: string;
};

/** What wrk sends. The paths are taken in turn; all requests share the rest. */
export type Load = {
  connections: number;
  paths: readonly string[];
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
};

/** A peer with a site, under the name that the results use. */
export type Entrant = { name: string; peer: PeerName; site: Site };

/** What a scenario demands. The names are those of entrants. */
export type Bar =
  | { kind: 'throughput'; of: string; to: string; atLeast: number }
  | { kind: 'p99'; of: string; to: string; atMost: number }
  | { kind: 'idle-memory'; of: string; belowMib: number };

export type Scenario = {
  name: string;
  /** One sentence for the top of the table. */
  summary: string;
  load: Load;
  entrants: readonly Entrant[];
  /** The entrant that the table's ratio column divides by. */
  reference: string;
  bars: readonly Bar[];
};
