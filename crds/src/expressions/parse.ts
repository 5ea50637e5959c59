import { parse as parseCel } from '@bufbuild/cel';
import { expressionLimits } from './limits.ts';
import { lower, tooDeep } from './lower.ts';
import type { Node } from './node.ts';
import { Mistake } from './place.ts';
import { syntaxMistake } from './syntax-mistake.ts';
import { deepBracket } from './tokens.ts';
import type { Tree } from './tree.ts';

/** @throws Mistake when the text is not CEL, is too large, or uses a part of CEL that is left out here. */
export function parse(text: string): Node {
  const { characters, depth } = expressionLimits;
  if (text.length > characters) {
    throw new Mistake(characters, `longer than ${characters} characters`);
  }
  // The parser calls itself for each of them, and threads have stacks of different sizes.
  const deep = deepBracket(text, depth);
  if (deep !== undefined) throw new Mistake(deep, tooDeep);
  return lower(text, treeOf(text));
}

function treeOf(text: string): Tree {
  try {
    return parseCel(text);
  } catch (error) {
    if (error instanceof Error) throw syntaxMistake(text, error);
    throw error;
  }
}
