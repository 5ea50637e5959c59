import { type PathMatch, PathMatch_Type } from '@gatehouse/snapshot';
import { normalisePath } from './normalise-path.ts';
import { compilePattern, type Pattern } from './pattern.ts';

export type PathCondition =
  | { readonly kind: 'exact'; readonly path: string }
  /** `path` has no trailing slash: '' stands for "/". */
  | { readonly kind: 'prefix'; readonly path: string }
  | Template
  | { readonly kind: 'regex'; readonly source: string; readonly pattern: Pattern };

export type Template = {
  readonly kind: 'template';
  /** Segments of the path; a trailing slash makes the last one ''. */
  readonly segments: readonly (string | Variable)[];
};

export type Variable = { readonly variable: string };

export const everyPath: PathCondition = { kind: 'prefix', path: '' };

const wholeVariable = /^\{([A-Za-z_][A-Za-z0-9_-]*)\}$/;

/** @returns what is wrong with the match, as a string, when it cannot be compiled. */
export function compilePath({ type, value }: PathMatch): PathCondition | string {
  switch (type) {
    case PathMatch_Type.EXACT: {
      const path = normaliseValue(value);
      return path === undefined ? unusable(value) : { kind: 'exact', path };
    }
    case PathMatch_Type.PREFIX: {
      const path = normaliseValue(value);
      return path === undefined
        ? unusable(value)
        : { kind: 'prefix', path: path.replace(/\/$/, '') };
    }
    case PathMatch_Type.TEMPLATE:
      return compileTemplate(value);
    case PathMatch_Type.REGEX: {
      const pattern = compilePattern(value);
      return typeof pattern === 'string' ? pattern : { kind: 'regex', source: value, pattern };
    }
    default:
      return `unknown type ${type}; this data plane may be older than its controller`;
  }
}

/** Paths in resources may hold what a URL must escape; requests arrive with the escapes. */
function normaliseValue(value: string): string | undefined {
  if (!value.startsWith('/')) return undefined;
  return normalisePath(value.toWellFormed().replace(/[^\x00-\x1f\x21-\x7f]/gu, encodeURIComponent));
}

function unusable(value: string): string {
  return `"${value}" is not a path; it must begin with "/" and hold no query, backslash, broken escape or ".." above the root`;
}

function compileTemplate(value: string): Template | string {
  if (!value.startsWith('/')) return unusable(value);
  const segments: (string | Variable)[] = [];
  const seen = new Set<string>();
  const parts = value.slice(1).split('/');
  for (const [index, part] of parts.entries()) {
    const name = wholeVariable.exec(part)?.[1];
    if (name !== undefined) {
      if (seen.has(name)) return `the variable "${name}" occurs twice`;
      seen.add(name);
      segments.push({ variable: name });
      continue;
    }
    if (/[{}]/.test(part)) {
      return `"${part}" is neither a literal segment nor a variable; a variable is a whole segment, e.g. "/users/{id}"`;
    }
    const literal = normaliseValue(`/${part}`)?.slice(1);
    if (literal === undefined) return unusable(value);
    if (literal === '' && index < parts.length - 1) return `"${value}" has an empty segment`;
    segments.push(literal);
  }
  return { kind: 'template', segments };
}

/** The path that a template without variables matches. */
export function literalPath({ segments }: Template): string | undefined {
  return segments.every((segment) => typeof segment === 'string')
    ? `/${segments.join('/')}`
    : undefined;
}

/** Variables of a path that matched: name -> segment as it was sent, escapes and all. */
export function readVariables({ segments }: Template, path: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  let from = 1;
  for (const segment of segments) {
    const slash = path.indexOf('/', from);
    const end = slash < 0 ? path.length : slash;
    if (typeof segment !== 'string') variables.set(segment.variable, path.slice(from, end));
    from = end + 1;
  }
  return variables;
}
