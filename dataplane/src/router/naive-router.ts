import { type Match, PathMatch_Type, type ValueMatch, ValueMatch_Type } from '@gatehouse/snapshot';
import type { RequestHead, RouteInput } from './route-input.ts';

type Entry = {
  target: string;
  hostname: string;
  match: Match;
  /** Compared in order; the lower number or text wins. */
  rank: (number | string)[];
};

const isVariable = (segment: string) => segment.startsWith('{');
const segmentsOf = (path: string) => path.split('/').filter((segment) => segment !== '');

/** For tests: the precedence as the documentation states it, by sorting all that fits a request. */
export function matchNaively(
  routes: readonly RouteInput<string>[],
  head: RequestHead,
): string | undefined {
  const fitting = routes
    .flatMap(entriesOf)
    .filter(({ hostname, match }) => hostFits(hostname, head.host) && fits(match, head));
  fitting.sort((a, b) => compareRanks(a.rank, b.rank));
  return fitting[0]?.target;
}

function entriesOf(route: RouteInput<string>): Entry[] {
  const hostnames = route.hostnames.length > 0 ? route.hostnames : ['*'];
  return hostnames.flatMap((hostname) =>
    route.rules.flatMap((rule) =>
      rule.matches.map((match, position) => ({
        target: rule.target,
        hostname,
        match,
        rank: [
          ...hostRank(hostname),
          ...pathRank(match),
          match.methods.length > 0 ? 0 : 1,
          -match.headers.length,
          -match.query.length,
          route.created === 0 ? Number.MAX_VALUE : route.created,
          route.name,
          rule.name,
          position,
        ],
      })),
    ),
  );
}

/** Exact, then the wildcard with the most labels; "*" has the fewest. */
function hostRank(hostname: string): number[] {
  return hostname.startsWith('*') ? [1, -hostname.split('.').length] : [0, 0];
}

/** Kind, number of segments, literal or variable at each place, whole path or prefix, length. */
function pathRank({ path }: Match): (number | string)[] {
  if (path === undefined) return [1, 0, '', 1, 0];
  const segments = segmentsOf(path.value);
  switch (path.type) {
    case PathMatch_Type.EXACT:
      return [0, 0, '', 0, 0];
    case PathMatch_Type.PREFIX:
      return [1, -segments.length, segments.map(() => 0).join(''), 1, 0];
    case PathMatch_Type.TEMPLATE: {
      const variables = segments.map((segment) => (isVariable(segment) ? 1 : 0));
      return [1, -segments.length, variables.join(''), 0, 0];
    }
    default:
      return [2, 0, '', 0, -path.value.length];
  }
}

function compareRanks(a: (number | string)[], b: (number | string)[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index];
    if (right === undefined || left === right) continue;
    return left < right ? -1 : 1;
  }
  return 0;
}

function hostFits(hostname: string, host: string): boolean {
  if (!hostname.startsWith('*')) return hostname === host;
  const suffix = hostname.slice(1);
  return suffix === '' || (host.endsWith(suffix) && host.length > suffix.length);
}

function fits(match: Match, head: RequestHead): boolean {
  return (
    pathFits(match, head.path) &&
    (match.methods.length === 0 || match.methods.includes(head.method)) &&
    match.headers.every((header) => valueFits(header, head.header(header.name))) &&
    match.query.every((parameter) =>
      valueFits(parameter, new URLSearchParams(head.query).get(parameter.name) ?? undefined),
    )
  );
}

function pathFits({ path }: Match, requested: string): boolean {
  if (path === undefined) return true;
  const wanted = segmentsOf(path.value);
  const given = segmentsOf(requested);
  switch (path.type) {
    case PathMatch_Type.EXACT:
      return path.value === requested;
    case PathMatch_Type.PREFIX:
      return wanted.every((segment, index) => segment === given[index]);
    case PathMatch_Type.TEMPLATE:
      return (
        wanted.length === given.length &&
        path.value.endsWith('/') === requested.endsWith('/') &&
        wanted.every((segment, index) => isVariable(segment) || segment === given[index])
      );
    default:
      return new RegExp(`^(?:${path.value})$`).test(requested);
  }
}

function valueFits({ type, value }: ValueMatch, given: string | undefined): boolean {
  if (given === undefined) return false;
  if (type === ValueMatch_Type.REGEX) return new RegExp(`^(?:${value})$`).test(given);
  return type === ValueMatch_Type.PRESENT || given === value;
}
