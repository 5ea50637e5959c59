import type { MessageInitShape } from '@bufbuild/protobuf';
import { defaults, type Rule } from '@gatehouse/crds';
import { type MatchSchema, PathMatch_Type, ValueMatch_Type } from '@gatehouse/snapshot';
import { RE2JS, RE2JSException, RE2JSSyntaxException } from 're2js';
import { normalPath, templateVariables, withoutTrailingSlash } from './path-text.ts';
import type { Report } from './status.ts';

type Match = NonNullable<Rule['matches']>[number];
type MatchedPath = NonNullable<Match['path']>;
type ValueMatch = NonNullable<Match['headers']>[number];

/** A match with what rewrites and redirects need to know about it. */
export type CompiledMatch = {
  message: MessageInitShape<typeof MatchSchema>;
  /** Set when the path is matched by prefix. */
  prefix?: string;
  /** Variables that a template defines. */
  variables: string[];
};

const pathTypes = {
  Exact: PathMatch_Type.EXACT,
  Prefix: PathMatch_Type.PREFIX,
  Template: PathMatch_Type.TEMPLATE,
  Regex: PathMatch_Type.REGEX,
};

const valueTypes = {
  Exact: ValueMatch_Type.EXACT,
  Regex: ValueMatch_Type.REGEX,
  Present: ValueMatch_Type.PRESENT,
};

export function compileMatch(match: Match, path: string, report: Report): CompiledMatch {
  const matched = match.path && compilePath(match.path, `${path}.path.value`, report);
  const values = (list: readonly ValueMatch[] = [], field: string, lower: boolean) =>
    list.map((item, i) => {
      const type = item.type ?? defaults.valueMatchType;
      if (type === 'Regex') checkRegex(item.value ?? '', `${path}.${field}[${i}].value`, report);
      const name = lower ? item.name.toLowerCase() : item.name;
      return { name, type: valueTypes[type], value: type === 'Present' ? '' : (item.value ?? '') };
    });
  return {
    message: {
      ...(match.path && matched
        ? { path: { type: pathTypes[match.path.type], value: matched.value } }
        : {}),
      methods: [...new Set((match.methods ?? []).map((method) => method.toUpperCase()))],
      headers: values(match.headers, 'headers', true),
      query: values(match.query, 'query', false),
    },
    ...(match.path?.type === 'Prefix' && matched ? { prefix: matched.value } : {}),
    variables: matched?.variables ?? [],
  };
}

function compilePath({ type, value }: MatchedPath, path: string, report: Report) {
  switch (type) {
    case 'Exact':
      return { value: normalPath(value, path, report), variables: [] };
    case 'Prefix':
      return { value: withoutTrailingSlash(normalPath(value, path, report)), variables: [] };
    case 'Template':
      return {
        value: normalPath(value, path, report),
        variables: templateVariables(value, path, report),
      };
    case 'Regex':
      checkRegex(value, path, report);
      return { value, variables: [] };
  }
}

function checkRegex(pattern: string, path: string, report: Report): void {
  try {
    RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    report(path, `"${pattern}" is not an RE2 expression: ${whyNot(pattern, error)}`);
  }
}

function whyNot(pattern: string, error: RE2JSException): string {
  if (!(error instanceof RE2JSSyntaxException)) return error.message;
  const fragment = error.getPattern() ?? '';
  const at = fragment === '' ? -1 : pattern.indexOf(fragment);
  const unique = at !== -1 && at === pattern.lastIndexOf(fragment);
  return unique
    ? `${error.getDescription()}: "${fragment}" at character ${at + 1}`
    : `${error.getDescription()}: "${fragment}"`;
}
