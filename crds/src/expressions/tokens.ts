/** Comments, strings (raw ones have no escapes; three quotes may span lines), any other character. */
const token = new RegExp(
  [
    String.raw`//[^\n]*`,
    String.raw`[bB]?[rR][bB]?(?:'{3}.*?'{3}|"{3}.*?"{3}|'[^'\n]*'|"[^"\n]*")`,
    String.raw`'{3}(?:\\.|[^\\])*?'{3}|"{3}(?:\\.|[^\\])*?"{3}`,
    String.raw`'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"`,
    '.',
  ].join('|'),
  'gsy',
);

/** The offset of a quote that opens no string. */
export function unclosedString(text: string): number | undefined {
  for (const { 0: part, index } of text.matchAll(token)) {
    if (part === '"' || part === "'") return index;
  }
  return undefined;
}

/** The offset of the first bracket that is inside of more than so many others. */
export function deepBracket(text: string, most: number): number | undefined {
  let open = 0;
  for (const { 0: part, index } of text.matchAll(token)) {
    if (part === '(' || part === '[' || part === '{') open++;
    else if (part === ')' || part === ']' || part === '}') open--;
    if (open > most) return index;
  }
  return undefined;
}
