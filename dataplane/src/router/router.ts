import { type Candidate, comparePrecedence } from './candidate.ts';
import { type CompiledRoute, compileRoute } from './compile-route.ts';
import { createQueryReader, type QueryReader } from './conditions.ts';
import { createHostTable, findHost, type HostTable, linkHosts, pathTableOf } from './host-table.ts';
import { addCandidate, findCandidate } from './path-table.ts';
import type { Problem, RequestHead, RouteInput } from './route-input.ts';

/** Finds the rule for a request. Immutable. */
export type Router<T> = {
  /** The winner by the precedence of Gateway API; undefined: no rule serves the request. */
  match(head: RequestHead): Candidate<T> | undefined;
  /** For the next router. */
  readonly compiled: WeakMap<RouteInput<T>, CompiledRoute<T>>;
};

/**
 * Builds the router of one listener.
 * @param previous what was compiled for its routes is used again where the input is the same object.
 * @returns with problems, a router without the matches and hostnames that they name. Less specific
 * rules would win in their place, so it should not be put to use.
 */
export function createRouter<T>(
  routes: readonly RouteInput<T>[],
  previous?: Router<T>,
): { router: Router<T>; problems: Problem[] } {
  const compiled = previous?.compiled ?? new WeakMap<RouteInput<T>, CompiledRoute<T>>();
  const problems: Problem[] = [];
  const entries: { candidate: Candidate<T>; hostnames: readonly string[] }[] = [];
  for (const route of routes) {
    let known = compiled.get(route);
    if (known === undefined) {
      known = compileRoute(route);
      compiled.set(route, known);
    }
    problems.push(...known.problems);
    const { hostnames } = known;
    for (const candidate of known.candidates) entries.push({ candidate, hostnames });
  }
  entries.sort((a, b) => comparePrecedence(a.candidate, b.candidate));
  const hosts = createHostTable<T>();
  for (const { candidate, hostnames } of entries) {
    for (const hostname of hostnames) addCandidate(pathTableOf(hosts, hostname), candidate);
  }
  linkHosts(hosts);
  const readQuery = createQueryReader();
  return { router: { match: (head) => find(hosts, head, readQuery), compiled }, problems };
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
