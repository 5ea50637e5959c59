import { Mistake, skipBlank } from './place.ts';
import { unclosedString } from './tokens.ts';

/** What the parser throws: it has a location, but its classes are not exported. */
type ParserError = Error & {
  readonly location?: { readonly start: { readonly offset: number } };
  readonly rawMessage?: string;
  /** What stands there; only of syntax errors. */
  readonly found?: string | null;
};

/**
 * The parser tells where it gave up: at the last sign behind which it could not go on, and what it could
 * have gone on with, which is nearly everything. This says what is wrong instead.
 */
export function syntaxMistake(text: string, error: Error): Mistake {
  const { location, rawMessage, found }: ParserError = error;
  if (location === undefined) return new Mistake(skipBlank(text, 0), error.message);
  const offset = skipBlank(text, location.start.offset);
  if (typeof found !== 'string') return new Mistake(offset, rawMessage ?? error.message);
  const quote = unclosedString(text);
  if (quote !== undefined) return new Mistake(quote, 'the string is not closed on its line');
  return new Mistake(offset, complaint(text.slice(offset)));
}

const operator = /^(?:[=!<>]=|&&|\|\||[<>+\-*/%?:[({.,]|in\b)/;

function complaint(rest: string): string {
  if (rest === '') return 'unexpected end; a value is missing, or something is not closed';
  const [sign] = operator.exec(rest) ?? [];
  if (sign !== undefined) return `what follows "${sign}" is missing or wrong`;
  const [single = ''] = /^[=&|]/.exec(rest) ?? [];
  if (single !== '') return `"${single}" means nothing; write "${single}${single}"`;
  const [word = ''] = /^(?:\w+|.)/su.exec(rest) ?? [];
  return `unexpected ${JSON.stringify(word)}`;
}
