/** Where in a text: both count from 1, columns in characters. */
export type Place = { readonly line: number; readonly column: number };

/** Something that is wrong with the text of an expression. Internal: checkExpression makes it plain data. */
export class Mistake extends Error {
  readonly offset: number;

  /** @param offset in UTF-16 units. */
  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

export function placeAt(text: string, offset: number): Place {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: [...(before.at(-1) ?? '')].length + 1 };
}

/** Spaces and comments. */
const blank = /(?:[\t\n\f\r ]|\/\/[^\n]*)*/y;

/** The first offset from there on that is neither space nor comment. */
export function skipBlank(text: string, offset: number): number {
  blank.lastIndex = offset;
  blank.test(text);
  return blank.lastIndex;
}
