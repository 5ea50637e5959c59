import type { MessageInitShape } from '@bufbuild/protobuf';
import { defaults, type Rule } from '@gatehouse/crds';
import type { RedirectSchema, RewriteSchema } from '@gatehouse/snapshot';
import type { CompiledMatch } from './match.ts';
import { encodeStrangers, replacementVariables, withoutTrailingSlash } from './path-text.ts';
import type { Report } from './status.ts';

type RewriteInit = MessageInitShape<typeof RewriteSchema>;
type RedirectInit = MessageInitShape<typeof RedirectSchema>;

/** Field of the rule that works on the matched prefix; undefined when none does. */
function prefixField({ rewrite, redirect }: Rule): string | undefined {
  if (rewrite?.stripPrefix) return 'rewrite.stripPrefix';
  if (rewrite?.prefix !== undefined) return 'rewrite.prefix';
  if (redirect?.prefix !== undefined) return 'redirect.prefix';
  return undefined;
}

/**
 * The matches of a rule by the prefix that its rewrite or redirect works on. A message holds one
 * prefix, so a rule with several becomes several messages that carry its name.
 */
export function groupByPrefix(
  rule: Rule,
  matches: readonly CompiledMatch[],
  path: string,
  report: Report,
): { prefix: string; matches: CompiledMatch[] }[] {
  const field = prefixField(rule);
  if (field === undefined) return [{ prefix: '', matches: [...matches] }];
  if (matches.length === 0) report(`${path}.${field}`, 'needs a match of type Prefix');
  const groups = new Map<string, CompiledMatch[]>();
  for (const [i, match] of matches.entries()) {
    if (match.prefix === undefined) {
      report(`${path}.${field}`, `needs every match to be a Prefix, matches[${i}] is not`);
    } else {
      groups.set(match.prefix, [...(groups.get(match.prefix) ?? []), match]);
    }
  }
  return [...groups.keys()].sort().map((prefix) => ({ prefix, matches: groups.get(prefix) ?? [] }));
}

export function compileRewrite(
  rewrite: NonNullable<Rule['rewrite']>,
  prefix: string,
): RewriteInit | undefined {
  const host = rewrite.host?.toLowerCase() ?? '';
  const path = rewrittenPath(rewrite, prefix);
  if (path === undefined && host === '') return undefined;
  return { host, ...(path ? { path } : {}) };
}

function rewrittenPath(
  rewrite: NonNullable<Rule['rewrite']>,
  prefix: string,
): RewriteInit['path'] | undefined {
  if (rewrite.path !== undefined) {
    return { case: 'fullPath', value: encodeStrangers(rewrite.path) };
  }
  if (rewrite.prefix !== undefined) {
    return { case: 'prefix', value: prefixReplacement(prefix, rewrite.prefix) };
  }
  // "/" without its prefix "/" is "/" again.
  return rewrite.stripPrefix && prefix !== '/' ? { case: 'stripPrefix', value: prefix } : undefined;
}

/** Says which variables of rewrite.path have no value under some match. */
export function checkVariables(
  rewrite: Rule['rewrite'],
  matches: readonly CompiledMatch[],
  path: string,
  report: Report,
): void {
  if (rewrite?.path === undefined) return;
  const at = `${path}.rewrite.path`;
  for (const name of new Set(replacementVariables(rewrite.path, at, report))) {
    const missing = matches.findIndex(({ variables }) => !variables.includes(name));
    if (matches.length === 0) report(at, `"{${name}}" needs a Template match that defines it`);
    else if (missing !== -1) report(at, `"{${name}}" is not defined by matches[${missing}]`);
  }
}

export function compileRedirect(
  redirect: NonNullable<Rule['redirect']>,
  prefix: string,
): RedirectInit {
  const { scheme = '', host = '', port = 0, status = defaults.redirectStatus } = redirect;
  const path: RedirectInit['path'] | undefined =
    redirect.path !== undefined
      ? { case: 'fullPath', value: encodeStrangers(redirect.path) }
      : redirect.prefix !== undefined
        ? { case: 'prefix', value: prefixReplacement(prefix, redirect.prefix) }
        : undefined;
  return { scheme, host: host.toLowerCase(), port, status, ...(path ? { path } : {}) };
}

function prefixReplacement(match: string, replacement: string) {
  return { match, replacement: withoutTrailingSlash(encodeStrangers(replacement)) };
}
