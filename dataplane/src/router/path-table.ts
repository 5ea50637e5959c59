import { type Candidate, firstHolding } from './candidate.ts';
import { hold, type QueryReader } from './conditions.ts';
import { literalPath } from './path-condition.ts';
import type { Pattern } from './pattern.ts';
import type { RequestHead } from './route-input.ts';
import {
  addTemplate,
  createTemplateNode,
  findTemplate,
  type TemplateNode,
} from './template-tree.ts';

type ByPath<T> = {
  readonly candidates: Map<string, Candidate<T>[]>;
  /** 1 at each length that a key has: most lookups that must fail are not made. */
  lengths: Uint8Array;
};

/** Everything that is matched under one hostname. */
export type PathTable<T> = {
  /** Exact paths, and templates without variables behind them. */
  readonly whole: ByPath<T>;
  readonly prefixes: ByPath<T>;
  templates: TemplateNode<T> | undefined;
  readonly patterns: { readonly candidate: Candidate<T>; readonly pattern: Pattern }[];
};

export function createPathTable<T>(): PathTable<T> {
  return {
    whole: { candidates: new Map(), lengths: new Uint8Array(1) },
    prefixes: { candidates: new Map(), lengths: new Uint8Array(1) },
    templates: undefined,
    patterns: [],
  };
}

/** Candidates have to be added in the order of `comparePrecedence`. */
export function addCandidate<T>(table: PathTable<T>, candidate: Candidate<T>): void {
  const { path } = candidate;
  const whole = path.kind === 'template' ? literalPath(path) : undefined;
  if (whole !== undefined) {
    addByPath(table.whole, whole, candidate);
  } else if (path.kind === 'exact') {
    addByPath(table.whole, path.path, candidate);
  } else if (path.kind === 'prefix') {
    addByPath(table.prefixes, path.path, candidate);
  } else if (path.kind === 'template') {
    table.templates ??= createTemplateNode();
    addTemplate(table.templates, path, candidate);
  } else {
    table.patterns.push({ candidate, pattern: path.pattern });
  }
}

function addByPath<T>(byPath: ByPath<T>, path: string, candidate: Candidate<T>): void {
  const candidates = byPath.candidates.get(path);
  if (candidates !== undefined) {
    candidates.push(candidate);
    return;
  }
  byPath.candidates.set(path, [candidate]);
  if (path.length >= byPath.lengths.length) {
    const grown = new Uint8Array(path.length + 1);
    grown.set(byPath.lengths);
    byPath.lengths = grown;
  }
  byPath.lengths[path.length] = 1;
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
  // "/a/" is under the prefix "/a", and "/" under ''.
  let end = path.charCodeAt(path.length - 1) === 47 ? path.length - 1 : path.length;
  let found =
    findAt(table.whole, head, path.length, readQuery) ??
    findAt(table.prefixes, head, end, readQuery);
  if (found !== undefined) return found;
  if (table.templates !== undefined) {
    found = findTemplate(table.templates, head, 1, readQuery);
    if (found !== undefined) return found;
  }
  const longest = table.prefixes.lengths.length;
  while (end > 0) {
    // A path of a thousand segments costs no more than the longest prefix does.
    end = path.lastIndexOf('/', Math.min(end, longest) - 1);
    found = findAt(table.prefixes, head, end, readQuery);
    if (found !== undefined) return found;
  }
  return findPattern(table, head, readQuery);
}

function findAt<T>(
  byPath: ByPath<T>,
  head: RequestHead,
  length: number,
  readQuery: QueryReader,
): Candidate<T> | undefined {
  if (length >= byPath.lengths.length || byPath.lengths[length] === 0) return undefined;
  const candidates = byPath.candidates.get(head.path.slice(0, length));
  return candidates === undefined ? undefined : firstHolding(candidates, head, readQuery);
}

function findPattern<T>(
  { patterns }: PathTable<T>,
  head: RequestHead,
  readQuery: QueryReader,
): Candidate<T> | undefined {
  for (const { candidate, pattern } of patterns) {
    if (!pattern.testExact(head.path)) continue;
    if (!candidate.conditional || hold(candidate.conditions, head, readQuery)) return candidate;
  }
  return undefined;
}
