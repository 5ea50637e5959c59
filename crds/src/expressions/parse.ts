import { parse as parseCel } from '@bufbuild/cel';
import { expressionLimits } from './limits.ts';
import { lower } from './lower.ts';
import type { Node } from './node.ts';
import { Mistake, skipBlank } from './place.ts';

/** @throws Mistake when the text is not CEL, is too large, or uses a part of CEL that is left out here. */
export function parse(text: string): Node {
  if (text.length > expressionLimits.characters) {
    const most = expressionLimits.characters;
    throw new Mistake(most, `longer than ${most} characters`);
  }
  return lower(text, tree(text));
}

function tree(text: string) {
  try {
    return parseCel(text);
  } catch (error) {
    if (error instanceof RangeError) throw new Mistake(0, tooDeep);
    if (!(error instanceof Error)) throw error;
    throw syntaxMistake(text, error);
  }
}

export const tooDeep = `nested too deeply; at most ${expressionLimits.depth} levels`;

/** The parser's errors have a location; its classes are not exported. */
function syntaxMistake(text: string, error: Error): Mistake {
  const { location, rawMessage, found } = error as Error & {
    location?: { start: { offset: number } };
    rawMessage?: string;
    found?: string | null;
  };
  if (location === undefined) return new Mistake(skipBlank(text, 0), error.message);
  const offset = skipBlank(text, location.start.offset);
  if (typeof found !== 'string') return new Mistake(offset, rawMessage ?? error.message);
  return new Mistake(offset, unexpected(text, offset));
}

function unexpected(text: string, offset: number): string {
  const [rest = ''] = /^(?:\w+|[^\w\s])/u.exec(text.slice(offset)) ?? [];
  if (offset >= text.length)
    return 'unexpected end; a value is missing, or something is not closed';
  if (/^["'`]/.test(rest)) return `unexpected ${rest}; is the string closed, on the same line?`;
  return `unexpected "${rest}"`;
}
