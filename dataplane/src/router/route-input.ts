import type { Match } from '@gatehouse/snapshot';

/** What a request is matched by. */
export type RequestHead = {
  /** As on the wire; case-sensitive (RFC 9110 section 9.1). */
  readonly method: string;
  /** Lower-case, without port and without a trailing dot; '' when there is none. */
  readonly host: string;
  /** As `normalisePath` returns it. One that does not begin with "/" ("*") matches no route. */
  readonly path: string;
  /** Raw, without "?"; '' when there is none. */
  readonly query: string;
  /** Value of a header by its lower-case name; several field lines are joined with ", ". */
  header(name: string): string | undefined;
};

/** A route of one listener. Never changed in place: what was made of it is kept by its identity. */
export type RouteInput<T> = {
  /** "<namespace>/<name>" */
  readonly name: string;
  /** Seconds since the epoch; 0: unknown, loses a tie against every known age. */
  readonly created: number;
  /** Exact or "*.example.com"; empty: any host. */
  readonly hostnames: readonly string[];
  readonly rules: readonly RuleInput<T>[];
};

export type RuleInput<T> = {
  readonly name: string;
  /** Any of them; empty: every request. */
  readonly matches: readonly Match[];
  /** Whatever the link step made of the rule. */
  readonly target: T;
};

/** A part of a route that was left out of the router, and why. */
export type Problem = {
  readonly route: string;
  /** Inside the route, e.g. "rules[2].matches[0].path.value". */
  readonly path: string;
  readonly reason: string;
};
