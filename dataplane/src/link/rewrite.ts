import type { PathRewrite } from './runtime.ts';

/** The path after a rewrite. `variables` are those of the template match, raw. */
export function rewritePath(
  rewrite: PathRewrite,
  path: string,
  variables: () => ReadonlyMap<string, string> | undefined,
): string {
  if (rewrite.type === 'full') {
    let out = '';
    let values: ReadonlyMap<string, string> | undefined;
    for (const part of rewrite.parts) {
      if ('text' in part) out += part.text;
      else {
        values ??= variables();
        out += values?.get(part.variable) ?? '';
      }
    }
    return out;
  }
  // HTTPRoute ReplacePrefixMatch: exactly one slash between replacement and rest.
  const rest = path.slice(rewrite.match.length);
  const replacement = rewrite.replacement.endsWith('/')
    ? rewrite.replacement.slice(0, -1)
    : rewrite.replacement;
  if (rest === '') return rewrite.replacement === '' ? '/' : rewrite.replacement;
  return rest.startsWith('/') ? replacement + rest : `${replacement}/${rest}`;
}

/** Splits "/a/{b}/c" into its parts. */
export function templateParts(template: string): ({ text: string } | { variable: string })[] {
  return template
    .split(/(\{[^}]*\})/)
    .filter((piece) => piece !== '')
    .map((piece) => (piece.startsWith('{') ? { variable: piece.slice(1, -1) } : { text: piece }));
}
