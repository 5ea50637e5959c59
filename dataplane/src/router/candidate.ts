import { type Conditions, hold, type QueryReader } from './conditions.ts';
import { type PathCondition, readVariables } from './path-condition.ts';
import type { RequestHead } from './route-input.ts';

/** One match of one rule: what `Router.match` returns for the requests that it wins. */
export type Candidate<T> = {
  readonly target: T;
  /** "<namespace>/<name>" of the route. */
  readonly route: string;
  readonly rule: string;
  readonly path: PathCondition;
  readonly conditions: Conditions;
  /** False when the path is all that it asks. */
  readonly conditional: boolean;
  readonly created: number;
  /** Position among the matches of its rule. */
  readonly position: number;
};

/** Variables of the template by which the path was matched: name -> raw segment. */
export function variablesOf(
  { path }: Candidate<unknown>,
  requestPath: string,
): ReadonlyMap<string, string> | undefined {
  return path.kind === 'template' ? readVariables(path, requestPath) : undefined;
}

const rankOfKind = { exact: 0, template: 1, prefix: 2, regex: 3 };

type Compare = (a: Candidate<unknown>, b: Candidate<unknown>) => number;

/** What one candidate has ahead of another, in the order in which it is asked for. */
export type Advantage =
  | 'path'
  | 'method'
  | 'headers'
  | 'query'
  | 'age'
  | 'route'
  | 'rule'
  | 'position';

const criteria: readonly { by: Advantage; compare: Compare }[] = [
  { by: 'path', compare: (a, b) => rankOfKind[a.path.kind] - rankOfKind[b.path.kind] },
  { by: 'path', compare: (a, b) => patternLength(b.path) - patternLength(a.path) },
  {
    by: 'method',
    compare: ({ conditions: a }, { conditions: b }) =>
      Math.sign(b.methods.length) - Math.sign(a.methods.length),
  },
  {
    by: 'headers',
    compare: ({ conditions: a }, { conditions: b }) => b.headers.length - a.headers.length,
  },
  {
    by: 'query',
    compare: ({ conditions: a }, { conditions: b }) => b.query.length - a.query.length,
  },
  { by: 'age', compare: (a, b) => compareAge(a.created, b.created) },
  { by: 'route', compare: (a, b) => compareText(a.route, b.route) },
  { by: 'rule', compare: (a, b) => compareText(a.rule, b.rule) },
  { by: 'position', compare: (a, b) => a.position - b.position },
];

/**
 * Order of precedence of candidates that are found by the same key (Gateway API, HTTPRouteRule): method
 * given, number of header matches, number of query matches, age, names. Rules of a Route have no order,
 * so their names decide. Among regular expressions the longest comes first, for want of a better rule.
 */
export function comparePrecedence(a: Candidate<unknown>, b: Candidate<unknown>): number {
  return decisive(a, b)?.order ?? 0;
}

/** The first criterion by which `a` comes before or after `b`; undefined when none tells them apart. */
export function decisive(
  a: Candidate<unknown>,
  b: Candidate<unknown>,
): { by: Advantage; order: number } | undefined {
  for (const { by, compare } of criteria) {
    const order = compare(a, b);
    if (order !== 0) return { by, order };
  }
  return undefined;
}

function patternLength(path: PathCondition): number {
  return path.kind === 'regex' ? path.source.length : 0;
}

function compareAge(a: number, b: number): number {
  if (a === b) return 0;
  return a === 0 ? 1 : b === 0 ? -1 : a - b;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The first of the candidates, which are in order of precedence, whose conditions hold. */
export function firstHolding<T>(
  candidates: readonly Candidate<T>[],
  head: RequestHead,
  readQuery: QueryReader,
): Candidate<T> | undefined {
  for (const candidate of candidates) {
    if (!candidate.conditional || hold(candidate.conditions, head, readQuery)) return candidate;
  }
  return undefined;
}
