import { type Advantage, type Candidate, decisive } from './candidate.ts';
import { literalPath, type PathCondition } from './path-condition.ts';
import { createRouter } from './router.ts';

/** A match that fits a request, with the hostname of its Route by which it does ('' for any host). */
export type Fitting = { candidate: Candidate<unknown>; hostname: string };

/**
 * Why one of two matches that fit the same request is asked before the other: what the tables of the
 * router do by their build, in words. `order` is negative when `a` comes first.
 */
export function whyFirst(
  a: Fitting,
  b: Fitting,
): { by: Advantage | 'hostname'; order: number } | undefined {
  const host = compareHostnames(a.hostname, b.hostname);
  if (host !== 0) return { by: 'hostname', order: host };
  const path = comparePaths(a.candidate.path, b.candidate.path);
  if (path !== 0) return { by: 'path', order: path };
  return decisive(a.candidate, b.candidate);
}

/** The most specific of a Route's hostnames that covers a host; undefined when none does. */
export function hostnameFor(hostnames: readonly string[], host: string): string | undefined {
  const all = hostnames.length > 0 ? hostnames : [''];
  const { router } = createRouter(
    all.map((hostname) => ({
      name: hostname,
      created: 0,
      hostnames: hostname === '' ? [] : [hostname],
      rules: [{ name: '', matches: [], target: hostname }],
    })),
  );
  const head = { method: 'GET', host, path: '/', query: '', header: () => undefined };
  return router.match(head)?.target;
}

function compareHostnames(a: string, b: string): number {
  return rankOfHostname(a) - rankOfHostname(b) || b.length - a.length;
}

function rankOfHostname(hostname: string): number {
  if (hostname === '') return 2;
  return hostname.startsWith('*') ? 1 : 0;
}

/** See findCandidate: the whole path, then the number of segments, then regular expressions. */
function comparePaths(a: PathCondition, b: PathCondition): number {
  return (
    stageOf(a) - stageOf(b) ||
    segmentCount(b) - segmentCount(a) ||
    // A prefix with as many segments as a template is the path itself.
    rankOfSegments(a) - rankOfSegments(b) ||
    compareTemplates(a, b)
  );
}

function stageOf(path: PathCondition): number {
  if (path.kind === 'exact') return 0;
  if (path.kind === 'template') return literalPath(path) === undefined ? 1 : 0;
  return path.kind === 'prefix' ? 1 : 2;
}

/** Of what is matched by segments; a trailing slash makes no segment. */
function segmentCount(path: PathCondition): number {
  if (stageOf(path) !== 1) return 0;
  if (path.kind === 'prefix') return path.path.split('/').length - 1;
  if (path.kind !== 'template') return 0;
  return path.segments.at(-1) === '' ? path.segments.length - 1 : path.segments.length;
}

function rankOfSegments(path: PathCondition): number {
  return stageOf(path) === 1 && path.kind === 'template' ? 1 : 0;
}

/** The leftmost difference is a literal segment against a variable. */
function compareTemplates(a: PathCondition, b: PathCondition): number {
  if (a.kind !== 'template' || b.kind !== 'template') return 0;
  for (const [index, segment] of a.segments.entries()) {
    const mine = typeof segment === 'string';
    const others = typeof b.segments[index] === 'string';
    if (mine !== others) return mine ? -1 : 1;
  }
  return 0;
}
