import { fromBinary } from '@bufbuild/protobuf';
import {
  Kind,
  type PathMatch,
  PathMatch_Type,
  type ResourceSet,
  RouteSchema,
  type Rule,
  sameHash,
} from '@gatehouse/snapshot';
import type { Filter } from '../filters/filter.ts';
import type { RouteInput, RuleInput } from '../router/index.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { createMatchSeries } from './match-series.ts';
import type { PolicyScopes } from './policies.ts';
import type { RefusedResource } from './refusals.ts';
import { linkRule } from './rule.ts';
import type { LinkedMatch, LinkedRoute } from './runtime.ts';

/** Resources that are looked at in one step. */
const stepSize = 64;

/** What Routes refer to, or what lies upon them. */
export type RouteSurroundings = {
  upstreams: ReadonlyMap<string, Upstream>;
  scopes: PolicyScopes;
};

/** Links every Route of the snapshot; those that did not change, nor their upstreams and filters, are kept. */
export function* linkRoutes(
  config: ResourceSet,
  around: RouteSurroundings,
  previous: ReadonlyMap<string, LinkedRoute> | undefined,
  refusals: RefusedResource[],
): Generator<void, Map<string, LinkedRoute>> {
  const routes = new Map<string, LinkedRoute>();
  let count = 0;
  for (const resource of config.values()) {
    if (++count % stepSize === 0) yield;
    if (resource.kind !== Kind.ROUTE) continue;
    const { name, hash } = resource;
    const known = previous?.get(name);
    if (known && sameHash(known.hash, hash) && stillLinked(name, known, around)) {
      routes.set(name, known);
      continue;
    }
    routes.set(name, linkRoute(name, hash, resource.body, around, refusals));
  }
  return routes;
}

function stillLinked(name: string, route: LinkedRoute, { upstreams, scopes }: RouteSurroundings) {
  return (
    route.upstreams.every((upstream) => upstreams.get(upstream.name) === upstream) &&
    [...route.inputs].every(([listener, { rules }]) =>
      rules.every((rule) =>
        sameFilters(rule.target.filters, scopes.filtersOf(listener, name, rule.name)),
      ),
    )
  );
}

function sameFilters(a: readonly Filter[] | undefined, b: readonly Filter[] | undefined): boolean {
  return (
    a === b || (a?.length === b?.length && a?.every((filter, i) => filter === b?.[i]) === true)
  );
}

function linkRoute(
  name: string,
  hash: Uint8Array,
  body: Uint8Array,
  { upstreams, scopes }: RouteSurroundings,
  refusals: RefusedResource[],
): LinkedRoute {
  const message = fromBinary(RouteSchema, body);
  const used = new Set<Upstream>();
  const rules: LinkedRoute['rules'][number][] = [];
  const refuse = (path: string, reason: string) =>
    refusals.push({ kind: Kind.ROUTE, name, path, reason });
  for (const [index, rule] of message.rules.entries()) {
    const at = `rules[${index}]`;
    if (rule.action.case === undefined) {
      refuse(at, 'has no action this release knows');
    }
    const linked = linkRule(
      name,
      rule,
      at,
      (upstreamName, path) => {
        const upstream = upstreams.get(upstreamName);
        if (upstream) used.add(upstream);
        else refuse(path, `upstream "${upstreamName}" is not in the snapshot`);
        return upstream;
      },
      refuse,
    );
    for (const [position, { match, label }] of matchesOf(rule).entries()) {
      const target: LinkedMatch = {
        rule: linked,
        at: `${at}.matches[${position}]`,
        pathLabel: label,
        series: createMatchSeries(),
        filters: undefined,
      };
      rules.push({ name: rule.name, matches: match ? [match] : [], target });
    }
  }
  const inputs = new Map<string, RouteInput<LinkedMatch>>();
  for (const { listener, hostnames } of message.attachments) {
    const created = Number(message.created);
    const filtered = withFilters(rules, (rule) => scopes.filtersOf(listener, name, rule));
    inputs.set(listener, { name, created, hostnames, rules: filtered });
  }
  return { hash, upstreams: [...used], rules, inputs };
}

/** The rules as one listener serves them; without filters they are shared by all. */
function withFilters(
  rules: readonly RuleInput<LinkedMatch>[],
  filtersOf: (rule: string) => readonly Filter[] | undefined,
): readonly RuleInput<LinkedMatch>[] {
  return rules.map((rule) => {
    const filters = filtersOf(rule.name);
    return filters ? { ...rule, target: { ...rule.target, filters } } : rule;
  });
}

/** Each match gets a target of its own, so that metrics can name its path. */
function matchesOf(rule: Rule) {
  if (rule.matches.length === 0) return [{ match: undefined, label: '/*' }];
  return rule.matches.map((match) => ({ match, label: labelOf(match.path) }));
}

/** The path of a match as a route template: a prefix ends in "/*". */
function labelOf(path: PathMatch | undefined): string {
  if (!path) return '/*';
  if (path.type !== PathMatch_Type.PREFIX) return path.value;
  return path.value.endsWith('/') ? `${path.value}*` : `${path.value}/*`;
}
