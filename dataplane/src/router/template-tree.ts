import { type Candidate, firstHolding } from './candidate.ts';
import type { QueryReader } from './conditions.ts';
import type { Template } from './path-condition.ts';
import type { RequestHead } from './route-input.ts';

/** A segment of the templates of one host; literal segments are walked before the variable. */
export type TemplateNode<T> = {
  readonly literals: Map<string, TemplateNode<T>>;
  variable: TemplateNode<T> | undefined;
  /** Templates that end here, in order of precedence. */
  readonly candidates: Candidate<T>[];
};

export function createTemplateNode<T>(): TemplateNode<T> {
  return { literals: new Map(), variable: undefined, candidates: [] };
}

export function addTemplate<T>(
  root: TemplateNode<T>,
  { segments }: Template,
  candidate: Candidate<T>,
): void {
  let node = root;
  for (const segment of segments) {
    let next = typeof segment === 'string' ? node.literals.get(segment) : node.variable;
    if (next === undefined) {
      next = createTemplateNode();
      if (typeof segment === 'string') node.literals.set(segment, next);
      else node.variable = next;
    }
    node = next;
  }
  node.candidates.push(candidate);
}

/**
 * The first candidate that holds and whose template fits the path from `from`, the start of a segment.
 * Every node is visited at most once a request, whatever the path.
 */
export function findTemplate<T>(
  node: TemplateNode<T>,
  head: RequestHead,
  from: number,
  readQuery: QueryReader,
): Candidate<T> | undefined {
  const slash = head.path.indexOf('/', from);
  const segment = slash < 0 ? head.path.slice(from) : head.path.slice(from, slash);
  const literal = node.literals.get(segment);
  if (literal !== undefined) {
    const found = continueAt(literal, head, slash, readQuery);
    if (found !== undefined) return found;
  }
  const { variable } = node;
  if (variable === undefined || segment === '') return undefined;
  return continueAt(variable, head, slash, readQuery);
}

function continueAt<T>(
  node: TemplateNode<T>,
  head: RequestHead,
  slash: number,
  readQuery: QueryReader,
): Candidate<T> | undefined {
  return slash < 0
    ? firstHolding(node.candidates, head, readQuery)
    : findTemplate(node, head, slash + 1, readQuery);
}
