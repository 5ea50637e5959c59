import { type Match, type ValueMatch, ValueMatch_Type } from '@gatehouse/snapshot';
import { compilePattern, fullyMatches, type Pattern } from './pattern.ts';
import type { RequestHead } from './route-input.ts';

/** A condition on the value of a header or query parameter; with neither part: it must be present. */
export type ValueCondition = {
  readonly name: string;
  readonly exact: string | undefined;
  readonly pattern: Pattern | undefined;
};

/** What a match asks besides the path; all of it must hold. */
export type Conditions = {
  /** Empty: any. */
  readonly methods: readonly string[];
  readonly headers: readonly ValueCondition[];
  readonly query: readonly ValueCondition[];
};

/** Reports one mistake: the field below the match and the reason. */
export type Report = (field: string, reason: string) => void;

export function compileConditions(match: Match, report: Report): Conditions {
  return {
    methods: match.methods,
    headers: match.headers.flatMap((value, index) =>
      compileValue(value, value.name.toLowerCase(), (field, reason) =>
        report(`headers[${index}].${field}`, reason),
      ),
    ),
    query: match.query.flatMap((value, index) =>
      compileValue(value, value.name, (field, reason) =>
        report(`query[${index}].${field}`, reason),
      ),
    ),
  };
}

function compileValue(match: ValueMatch, name: string, report: Report): ValueCondition[] {
  if (name === '') report('name', 'must not be empty');
  switch (match.type) {
    case ValueMatch_Type.EXACT:
      return [{ name, exact: match.value, pattern: undefined }];
    case ValueMatch_Type.PRESENT:
      return [{ name, exact: undefined, pattern: undefined }];
    case ValueMatch_Type.REGEX: {
      const pattern = compilePattern(match.value);
      if (typeof pattern !== 'string') return [{ name, exact: undefined, pattern }];
      report('value', pattern);
      return [];
    }
    default:
      report(
        'type',
        `unknown type ${match.type}; this data plane may be older than its controller`,
      );
      return [];
  }
}

/** The first value of a query parameter. */
export type QueryReader = (query: string, name: string) => string | undefined;

/**
 * Reads parameters as a form does (WHATWG URL section 5): "+" is a space, a broken escape is text. The
 * last query is kept, so a request's is parsed once, however many candidates ask for it.
 */
export function createQueryReader(): QueryReader {
  let raw = '';
  let values = new Map<string, string>();
  return (query, name) => {
    if (query === '') return undefined;
    if (query !== raw) {
      raw = query;
      values = new Map();
      for (const [key, value] of new URLSearchParams(query)) {
        if (!values.has(key)) values.set(key, value);
      }
    }
    return values.get(name);
  };
}

export function hold(conditions: Conditions, head: RequestHead, readQuery: QueryReader): boolean {
  const { methods, headers, query } = conditions;
  if (methods.length > 0 && !methods.includes(head.method)) return false;
  for (const condition of headers) {
    if (!accepts(condition, head.header(condition.name))) return false;
  }
  for (const condition of query) {
    if (!accepts(condition, readQuery(head.query, condition.name))) return false;
  }
  return true;
}

function accepts(condition: ValueCondition, value: string | undefined): boolean {
  if (value === undefined) return false;
  if (condition.exact !== undefined) return value === condition.exact;
  return condition.pattern === undefined || fullyMatches(condition.pattern, value);
}
