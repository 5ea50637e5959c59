import { type Path, pathText } from '@gatehouse/crds';
import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  visit,
} from 'yaml';

/** A mistake in the text of a document. */
export type SyntaxProblem = { offset: number; path: string; message: string };

/** More aliases than this in one document are refused before any is followed. */
const mostAliases = 500;
/** Expansions of one anchor, nested ones multiplied: what bounds a "billion laughs" document. */
export const mostExpansions = 100;
/** One slip makes YAML complain many times; the first complaints tell what is wrong. */
const mostErrors = 10;

/** What is wrong with the document before it is looked at as an object. */
export function syntaxProblems(document: Document.Parsed): SyntaxProblem[] {
  if (document.errors.length > 0) {
    const overflow = document.errors.find(({ message }) => /call stack/i.test(message));
    if (overflow) return [{ offset: overflow.pos[0], path: '', message: tooDeep }];
    return document.errors
      .slice(0, mostErrors)
      .map(({ pos, message }) => ({ offset: pos[0], path: '', message }));
  }
  const problems: SyntaxProblem[] = document.warnings.map(({ pos, message }) => ({
    offset: pos[0],
    path: '',
    message,
  }));
  return [...problems, ...keyAndAliasProblems(document)];
}

export const tooDeep = 'the document is nested too deeply';

// Unique keys are checked here because the parser compares each key with all others of its map.
function keyAndAliasProblems(document: Document.Parsed): SyntaxProblem[] {
  const problems: SyntaxProblem[] = [];
  let aliases = 0;

  function report(node: unknown, path: string, message: string): void {
    problems.push({ offset: startOf(node) ?? 0, path, message });
  }

  visit(document, {
    Map(_, map, ancestors) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key)) {
          report(key, '', 'expected a plain text as key, found a list, a map or an alias');
          continue;
        }
        const name = String(key.value);
        if (seen.has(name) && name !== '<<') {
          const path = pathText([...pathOf([...ancestors, map]), name]);
          report(key, path, 'the key is given twice; remove one');
        }
        seen.add(name);
      }
    },
    Alias(_, alias, ancestors) {
      if (++aliases > mostAliases) {
        report(alias, '', `more than ${mostAliases} aliases; write the values out`);
        return visit.BREAK;
      }
      const target = alias.resolve(document);
      if (!target) report(alias, '', `the alias *${alias.source} refers to no anchor before it`);
      if (!target || !ancestors.includes(target)) return undefined;
      report(alias, '', `the alias *${alias.source} refers to a value that contains it`);
      return visit.BREAK;
    },
  });
  return problems;
}

/** Steps from the root to the last of the nodes, each of which contains the next one. */
function pathOf(ancestors: readonly unknown[]): Path {
  const path: (string | number)[] = [];
  ancestors.forEach((node, index) => {
    if (isPair(node)) path.push(isScalar(node.key) ? String(node.key.value) : '?');
    else if (isSeq(node)) path.push(node.items.indexOf(ancestors[index + 1]));
  });
  return path;
}

function startOf(node: unknown): number | undefined {
  return (node as Partial<Node> | null)?.range?.[0];
}

/** Where a field is in the text: its key, or the innermost part of the path that is there. */
export function offsetOf(document: Document.Parsed, path: Path): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? document.range[0];
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step);
      if (!pair) break;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
      offset = startOf(node) ?? offset;
    } else break;
  }
  return offset;
}

/** Line and column of an offset, both from 1. */
export function placeOf(lines: LineCounter, offset: number): { line: number; col: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), col: Math.max(col, 1) };
}
