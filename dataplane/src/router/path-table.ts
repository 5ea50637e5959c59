import { type Candidate, firstHolding } from './candidate.ts';
import { hold, type QueryReader } from './conditions.ts';
import { literalPath } from './path-condition.ts';
import { fullyMatches, type Pattern } from './pattern.ts';
import {
  createPrefixMap,
  getOrAdd,
  type PrefixMap,
  valueAt,
  valueBeforeSlash,
} from './prefix-map.ts';
import type { RequestHead } from './route-input.ts';
import {
  addTemplate,
  createTemplateTree,
  findTemplate,
  type TemplateTree,
} from './template-tree.ts';

/** Everything that is matched under one hostname. */
export type PathTable<T> = {
  /** Exact paths, and templates without variables behind them. */
  readonly whole: Map<string, Candidate<T>[]>;
  readonly prefixes: PrefixMap<Candidate<T>[]>;
  readonly templates: TemplateTree<T>;
  readonly patterns: { readonly candidate: Candidate<T>; readonly pattern: Pattern }[];
};

export function createPathTable<T>(): PathTable<T> {
  return {
    whole: new Map(),
    prefixes: createPrefixMap(),
    templates: createTemplateTree(),
    patterns: [],
  };
}

/** Candidates have to be added in the order of `comparePrecedence`. */
export function addCandidate<T>(table: PathTable<T>, candidate: Candidate<T>): void {
  const { path } = candidate;
  if (path.kind === 'prefix') {
    getOrAdd(table.prefixes, path.path, () => [] as Candidate<T>[]).push(candidate);
  } else if (path.kind === 'regex') {
    table.patterns.push({ candidate, pattern: path.pattern });
  } else {
    const whole = path.kind === 'exact' ? path.path : literalPath(path);
    if (whole !== undefined) addWhole(table.whole, whole, candidate);
    else if (path.kind === 'template') addTemplate(table.templates, path, candidate);
  }
}

function addWhole<T>(
  whole: Map<string, Candidate<T>[]>,
  path: string,
  candidate: Candidate<T>,
): void {
  const candidates = whole.get(path);
  if (candidates === undefined) whole.set(path, [candidate]);
  else candidates.push(candidate);
}

/**
 * The winner under one hostname: whole path, then by the number of segments (a template has as many as
 * the path, so only the prefix that is the path itself goes before it), then regular expressions.
 */
export function findCandidate<T>(
  table: PathTable<T>,
  head: RequestHead,
  readQuery: QueryReader,
): Candidate<T> | undefined {
  const { path } = head;
  const { whole, prefixes, templates } = table;
  if (whole.size > 0) {
    const found = firstOf(whole.get(path), head, readQuery);
    if (found !== undefined) return found;
  }
  // "/a/" is under the prefix "/a", and "/" under ''.
  const end = path.charCodeAt(path.length - 1) === 47 ? path.length - 1 : path.length;
  const found =
    firstOf(valueAt(prefixes, path, end), head, readQuery) ??
    findTemplate(templates, head, readQuery);
  if (found !== undefined) return found;
  for (const length of prefixes.lengths) {
    if (length >= end) continue;
    const found = firstOf(valueBeforeSlash(prefixes, path, length), head, readQuery);
    if (found !== undefined) return found;
  }
  return findPattern(table, head, readQuery);
}

function firstOf<T>(
  candidates: readonly Candidate<T>[] | undefined,
  head: RequestHead,
  readQuery: QueryReader,
): Candidate<T> | undefined {
  return candidates === undefined ? undefined : firstHolding(candidates, head, readQuery);
}

function findPattern<T>(
  { patterns }: PathTable<T>,
  head: RequestHead,
  readQuery: QueryReader,
): Candidate<T> | undefined {
  for (const { candidate, pattern } of patterns) {
    if (!fullyMatches(pattern, head.path)) continue;
    if (!candidate.conditional || hold(candidate.conditions, head, readQuery)) return candidate;
  }
  return undefined;
}
