import { type Candidate, comparePrecedence } from './candidate.ts';
import { type CompiledRoute, compileRoute } from './compile-route.ts';
import { createQueryReader, type QueryReader } from './conditions.ts';
import { createHostTable, findHost, type HostTable, linkHosts, setHost } from './host-table.ts';
import { addCandidate, createPathTable, findCandidate, type PathTable } from './path-table.ts';
import type { Problem, RequestHead, RouteInput } from './route-input.ts';

/** Finds the rule for a request. Immutable. */
export type Router<T> = {
  /** The winner by the precedence of Gateway API; undefined: no rule serves the request. */
  match(head: RequestHead): Candidate<T> | undefined;
  /** For the next router. */
  readonly made: Made<T>;
};

/** What is used again where it came of the very same. */
type Made<T> = {
  readonly compiled: WeakMap<RouteInput<T>, CompiledRoute<T>>;
  readonly hosts: ReadonlyMap<string, MadeHost<T>>;
};

type MadeHost<T> = {
  /** In the order of the Routes. */
  readonly candidates: readonly Candidate<T>[];
  /** In the order of precedence. */
  readonly sorted: readonly Candidate<T>[];
  readonly table: PathTable<T>;
};

export type Built<T> = { router: Router<T>; problems: Problem[] };

/** Routes or candidates that are looked at in one step. */
const stepSize = 64;

/**
 * Builds the router of one listener.
 * @param previous what was compiled for its routes is used again where the input is the same object, and
 * what was made of a hostname where its routes are the same.
 * @returns with problems, a router without the matches and hostnames that they name. Less specific
 * rules would win in their place, so it should not be put to use.
 */
export function createRouter<T>(routes: readonly RouteInput<T>[], previous?: Router<T>): Built<T> {
  const steps = routerSteps(routes, previous);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** `createRouter` in steps, so that requests can be served in between. */
export function* routerSteps<T>(
  routes: readonly RouteInput<T>[],
  previous?: Router<T>,
): Generator<void, Built<T>> {
  const compiled = previous?.made.compiled ?? new WeakMap<RouteInput<T>, CompiledRoute<T>>();
  const problems: Problem[] = [];
  const byHost = new Map<string, Candidate<T>[]>();
  for (const [index, route] of routes.entries()) {
    if (index % stepSize === 0) yield;
    let known = compiled.get(route);
    if (known === undefined) {
      known = compileRoute(route);
      compiled.set(route, known);
    }
    problems.push(...known.problems);
    for (const hostname of known.hostnames) {
      const list = byHost.get(hostname);
      if (list === undefined) byHost.set(hostname, [...known.candidates]);
      else list.push(...known.candidates);
    }
  }
  const made = new Map<string, MadeHost<T>>();
  const hosts = createHostTable<T>();
  for (const [hostname, candidates] of byHost) {
    const before = previous?.made.hosts.get(hostname);
    const host =
      before && sameItems(before.candidates, candidates)
        ? before
        : yield* makeHost(candidates, before);
    made.set(hostname, host);
    setHost(hosts, hostname, host.table);
    if (made.size % stepSize === 0) yield;
  }
  linkHosts(hosts);
  const readQuery = createQueryReader();
  const router = {
    match: (head: RequestHead) => find(hosts, head, readQuery),
    made: { compiled, hosts: made },
  };
  return { router, problems };
}

function* makeHost<T>(
  candidates: readonly Candidate<T>[],
  before: MadeHost<T> | undefined,
): Generator<void, MadeHost<T>> {
  yield;
  const sorted = inOrder(candidates, before?.sorted ?? []);
  const table = createPathTable<T>();
  for (const [index, candidate] of sorted.entries()) {
    if (index % stepSize === 0) yield;
    addCandidate(table, candidate);
  }
  return { candidates, sorted, table };
}

/** Sorts; what was in order before is, and then sorting takes one pass. */
function inOrder<T>(
  candidates: readonly Candidate<T>[],
  before: readonly Candidate<T>[],
): Candidate<T>[] {
  const rest = new Set(candidates);
  const list = before.filter((candidate) => rest.delete(candidate));
  list.push(...rest);
  return list.sort(comparePrecedence);
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

function find<T>(
  hosts: HostTable<T>,
  head: RequestHead,
  readQuery: QueryReader,
): Candidate<T> | undefined {
  if (head.path.charCodeAt(0) !== 47) return undefined;
  let host = findHost(hosts, head.host);
  while (host !== undefined) {
    const found = findCandidate(host.table, head, readQuery);
    if (found !== undefined) return found;
    host = host.next;
  }
  return undefined;
}
