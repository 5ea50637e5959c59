import { create } from '@bufbuild/protobuf';
import { type Match, MatchSchema, PathMatch_Type, ValueMatch_Type } from '@gatehouse/snapshot';
import type { RequestHead, RouteInput } from './route-input.ts';

const pathTypes: Readonly<Record<string, PathMatch_Type>> = {
  exact: PathMatch_Type.EXACT,
  prefix: PathMatch_Type.PREFIX,
  template: PathMatch_Type.TEMPLATE,
  regex: PathMatch_Type.REGEX,
};

/** Conditions by name: "=value", "~regular expression" or "" for "present". */
export type Values = Readonly<Record<string, string>>;

export type MatchCase = {
  /** E.g. "prefix /a"; left out: no path. */
  readonly path?: string;
  readonly methods?: readonly string[];
  readonly headers?: Values;
  readonly query?: Values;
};

/** For tests: a match in few words. */
export function matchOf({ path, methods = [], headers = {}, query = {} }: MatchCase): Match {
  const space = path?.indexOf(' ') ?? -1;
  const parts = { methods: [...methods], headers: valuesOf(headers), query: valuesOf(query) };
  if (path === undefined) return create(MatchSchema, parts);
  const type = pathTypes[path.slice(0, space)] ?? PathMatch_Type.TYPE_UNSPECIFIED;
  return create(MatchSchema, { ...parts, path: { type, value: path.slice(space + 1) } });
}

function valuesOf(values: Values) {
  return Object.entries(values).map(([name, text]) => {
    const value = text.slice(1);
    if (text === '') return { name, type: ValueMatch_Type.PRESENT, value: '' };
    if (text.startsWith('=')) return { name, type: ValueMatch_Type.EXACT, value };
    if (text.startsWith('~')) return { name, type: ValueMatch_Type.REGEX, value };
    return { name, type: ValueMatch_Type.TYPE_UNSPECIFIED, value };
  });
}

export type RouteCase = MatchCase & {
  readonly created?: number;
  readonly hosts?: readonly string[];
  readonly rule?: string;
};

/** For tests: a route "ns/<name>" with one rule and one match, whose target is "<name>". */
export function routeOf(name: string, options: RouteCase): RouteInput<string> {
  const { created = 0, hosts = [], rule = 'rule' } = options;
  const rules = [{ name: rule, matches: [matchOf(options)], target: name }];
  return { name: `ns/${name}`, created, hostnames: hosts, rules };
}

/** For tests: a request from "GET host/path?query". */
export function headOf(
  request: string,
  headers: Readonly<Record<string, string>> = {},
): RequestHead {
  const [, method = '', host = '', path = '', query = ''] =
    /^(\S+) ([^/?]*)([^?]*)\??(.*)$/.exec(request) ?? [];
  return { method, host, path, query, header: (name) => headers[name] };
}
