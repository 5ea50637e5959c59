import { parse as parseCel } from '@bufbuild/cel';
import { expressionLimits } from './limits.ts';
import { lower, tooDeep } from './lower.ts';
import type { Node } from './node.ts';
import { Mistake } from './place.ts';
import { syntaxMistake } from './syntax-mistake.ts';
import type { Tree } from './tree.ts';

/** @throws Mistake when the text is not CEL, is too large, or uses a part of CEL that is left out here. */
export function parse(text: string): Node {
  const { characters } = expressionLimits;
  if (text.length > characters) {
    throw new Mistake(characters, `longer than ${characters} characters`);
  }
  return lower(text, treeOf(text));
}

function treeOf(text: string): Tree {
  try {
    return parseCel(text);
  } catch (error) {
    // The stack of the parser is full: far beyond the depth that is allowed.
    if (error instanceof RangeError) throw new Mistake(0, tooDeep);
    if (error instanceof Error) throw syntaxMistake(text, error);
    throw error;
  }
}
