/** Steps from the root of an object to a field: names of fields and positions in lists. */
export type Path = readonly (string | number)[];

/** A mistake in an object. `message` says what was expected and what was found. */
export type Problem = { path: Path; message: string };

const plainName = /^[A-Za-z_$][A-Za-z0-9_$-]*$/;

/** Prints a path as `spec.rules[0].matches[1].path.value`; the root is empty. */
export function pathText(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!plainName.test(step)) text += `[${quoted(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** Longest piece of a stranger's text that a message repeats. */
const shownLength = 64;

export function quoted(text: string): string {
  return text.length > shownLength
    ? `${JSON.stringify(text.slice(0, shownLength))}... (${text.length} characters)`
    : JSON.stringify(text);
}

/** Describes a value in a message, in bounded space. Strings are left out unless `reveal`. */
export function found(value: unknown, reveal: boolean): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  if (!reveal) return `a ${typeof value}`;
  return typeof value === 'string' ? quoted(value) : String(value).slice(0, shownLength);
}
