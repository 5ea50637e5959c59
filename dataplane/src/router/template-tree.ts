import { type Candidate, firstHolding } from './candidate.ts';
import type { QueryReader } from './conditions.ts';
import type { Template } from './path-condition.ts';
import { createPrefixMap, getOrAdd, type PrefixMap, valueBeforeSlash } from './prefix-map.ts';
import type { RequestHead } from './route-input.ts';

/**
 * The templates of one host, by their literal segments before the first variable. The longer these are,
 * the higher the precedence, for the leftmost difference is a literal segment against a variable.
 */
export type TemplateTree<T> = PrefixMap<TemplateNode<T>>;

/** Templates that begin alike; literal segments are walked before the variable. */
type TemplateNode<T> = {
  readonly literals: Map<string, TemplateNode<T>>;
  variable: TemplateNode<T> | undefined;
  /** Templates that end here, in order of precedence. */
  readonly candidates: Candidate<T>[];
};

export const createTemplateTree: <T>() => TemplateTree<T> = createPrefixMap;

function createNode<T>(): TemplateNode<T> {
  return { literals: new Map(), variable: undefined, candidates: [] };
}

export function addTemplate<T>(
  tree: TemplateTree<T>,
  { segments }: Template,
  candidate: Candidate<T>,
): void {
  const first = segments.findIndex((segment) => typeof segment !== 'string');
  const lead = segments.slice(0, first).map((segment) => `/${segment}`);
  let node = getOrAdd(tree, lead.join(''), createNode<T>);
  for (const segment of segments.slice(first)) {
    let next = typeof segment === 'string' ? node.literals.get(segment) : node.variable;
    if (next === undefined) {
      next = createNode();
      if (typeof segment === 'string') node.literals.set(segment, next);
      else node.variable = next;
    }
    node = next;
  }
  node.candidates.push(candidate);
}

/** The first candidate that holds and whose template fits the path. */
export function findTemplate<T>(
  tree: TemplateTree<T>,
  head: RequestHead,
  readQuery: QueryReader,
): Candidate<T> | undefined {
  for (const length of tree.lengths) {
    const node = valueBeforeSlash(tree, head.path, length);
    const found = node === undefined ? undefined : findBelow(node, head, length + 1, readQuery);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `from` is the start of a segment. A request visits a node at most once, whatever its path. */
function findBelow<T>(
  node: TemplateNode<T>,
  head: RequestHead,
  from: number,
  readQuery: QueryReader,
): Candidate<T> | undefined {
  const { path } = head;
  const slash = path.indexOf('/', from);
  const end = slash < 0 ? path.length : slash;
  if (node.literals.size > 0) {
    const literal = node.literals.get(path.slice(from, end));
    const found = literal === undefined ? undefined : findAt(literal, head, end, readQuery);
    if (found !== undefined) return found;
  }
  if (node.variable === undefined || end === from) return undefined;
  return findAt(node.variable, head, end, readQuery);
}

function findAt<T>(
  node: TemplateNode<T>,
  head: RequestHead,
  end: number,
  readQuery: QueryReader,
): Candidate<T> | undefined {
  return end === head.path.length
    ? firstHolding(node.candidates, head, readQuery)
    : findBelow(node, head, end + 1, readQuery);
}
