import {
  type Candidate,
  createRouter,
  hostnameFor,
  type LinkedMatch,
  type RequestHead,
  type RouteInput,
  type Runtime,
} from '@gatehouse/dataplane/explain';
import { type Match, PathMatch_Type, ValueMatch_Type } from '@gatehouse/snapshot';
import type { ExplainedMatch, ExplainedRule, ExplainedValueMatch } from './explanation.ts';

/** What the router of a listener is made of: one rule a match. */
export type Inputs = readonly RouteInput<LinkedMatch>[];
export type Found = Candidate<LinkedMatch>;
/** A match of a rule. */
export type Place = Pick<Found, 'route' | 'rule' | 'target'>;

export function inputsOf(runtime: Runtime, listener: string): Inputs {
  return [...runtime.routes.values()].flatMap((route) => route.inputs.get(listener) ?? []);
}

/** All that would win were it not for those before, in order, `most` at most: by the router itself. */
export function fittingIn(inputs: Inputs, head: RequestHead, most: number): Found[] {
  const found: Found[] = [];
  let left = inputs;
  let router = createRouter(left).router;
  while (found.length < most) {
    const winner = router.match(head);
    if (!winner) break;
    found.push(winner);
    left = left.map((route) =>
      route.name === winner.route
        ? { ...route, rules: route.rules.filter(({ target }) => target !== winner.target) }
        : route,
    );
    router = createRouter(left, router).router;
  }
  return found;
}

/** As its Route has it. */
export function matchOf(inputs: Inputs, found: Place): Match | undefined {
  const route = inputs.find(({ name }) => name === found.route);
  return route?.rules.find(({ target }) => target === found.target)?.matches[0];
}

export function explainedRule(inputs: Inputs, found: Place, host: string): ExplainedRule {
  const hostnames = inputs.find(({ name }) => name === found.route)?.hostnames ?? [];
  return {
    route: found.route,
    rule: found.rule,
    hostname: hostnameFor(hostnames, host) ?? hostnames.join(', '),
    match: explainedMatch(matchOf(inputs, found)),
  };
}

const pathTypes = {
  [PathMatch_Type.EXACT]: 'Exact',
  [PathMatch_Type.PREFIX]: 'Prefix',
  [PathMatch_Type.TEMPLATE]: 'Template',
  [PathMatch_Type.REGEX]: 'Regex',
  [PathMatch_Type.TYPE_UNSPECIFIED]: undefined,
} as const;

const valueTypes = {
  [ValueMatch_Type.EXACT]: 'Exact',
  [ValueMatch_Type.REGEX]: 'Regex',
  [ValueMatch_Type.PRESENT]: 'Present',
  [ValueMatch_Type.TYPE_UNSPECIFIED]: undefined,
} as const;

export function explainedMatch(match: Match | undefined): ExplainedMatch {
  const type = match?.path && pathTypes[match.path.type];
  return {
    path: match?.path && type ? { type, value: match.path.value } : null,
    methods: match?.methods ?? [],
    headers: valuesOf(match?.headers ?? []),
    query: valuesOf(match?.query ?? []),
  };
}

function valuesOf(matches: Match['headers']): ExplainedValueMatch[] {
  return matches.flatMap(({ name, type, value }) => {
    const known = valueTypes[type];
    return known ? [{ name, type: known, value }] : [];
  });
}

/** E.g. "Prefix /api/orders, GET or POST, header x-tenant = acme". */
export function matchText({ path, methods, headers, query }: ExplainedMatch): string {
  const parts = [
    path === null ? 'every path' : `${path.type} ${path.value}`,
    ...(methods.length > 0 ? [methods.join(' or ')] : []),
    ...headers.map((value) => `header ${valueText(value)}`),
    ...query.map((value) => `query ${valueText(value)}`),
  ];
  return parts.join(', ');
}

export function valueText({ name, type, value }: ExplainedValueMatch): string {
  if (type === 'Present') return name;
  return type === 'Exact' ? `${name} = ${value}` : `${name} ~ ${value}`;
}
