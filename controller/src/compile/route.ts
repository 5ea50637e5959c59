import { create } from '@bufbuild/protobuf';
import type { RouteObject } from '@gatehouse/crds';
import { Kind, keyOf, type Resource, RouteSchema, resourceOf } from '@gatehouse/snapshot';
import { type Attached, type AttachPoints, attach } from './attach.ts';
import { type Keyed, keyed } from './keyed.ts';
import type { Selected } from './namespaces.ts';
import { type Backend, type Lookup, type Ref, resolveBackend } from './refs.ts';
import { createdAt, idOf, namespaceOf, sortedBy } from './resources.ts';
import { type CheckedFallback, type CheckedRule, checkRule, type RuleInit } from './rule.ts';
import {
  accepted,
  type BrokenRef,
  type Condition,
  joined,
  listed,
  type Mistake,
  type ObjectStatus,
  refused,
  resolvedRefs,
} from './status.ts';

/** A Route by itself: what it says without looking at other objects. */
export type CheckedRoute = {
  /** "<namespace>/<name>" */
  id: string;
  object: RouteObject;
  /** The sound rules, by name. */
  rules: CheckedRule[];
  mistakes: Mistake[];
  /** References of all rules, those of unsound ones included. */
  refs: Ref[];
};

export type LinkedRoute = {
  status: ObjectStatus;
  /** Undefined when no listener serves the Route or no rule is sound. */
  served: Keyed | undefined;
  /** What the resource refers to, by name. */
  backends: Backend[];
  listeners: string[];
  /** Of all rules, those that are not sound included. */
  ruleNames: string[];
};

export function checkRoute(object: RouteObject): CheckedRoute {
  const mistakes: Mistake[] = [];
  const rules: { name: string; checked: CheckedRule }[] = [];
  const refs: Ref[] = [];
  const names = new Set<string>();
  for (const [i, rule] of object.spec.rules.entries()) {
    const path = `spec.rules[${i}]`;
    const before = mistakes.length;
    const report = (at: string, reason: string) => mistakes.push({ path: at, reason });
    const checked = checkRule(rule, namespaceOf(object), path, report);
    if (names.has(rule.name)) report(`${path}.name`, `"${rule.name}" is given twice`);
    names.add(rule.name);
    refs.push(...(checked.backends ?? []).map(({ ref }) => ref));
    refs.push(...checked.mirrors.map(({ ref }) => ref));
    if (checked.fallback && 'ref' in checked.fallback) refs.push(checked.fallback.ref);
    if (mistakes.length === before) rules.push({ name: rule.name, checked });
  }
  const sound = sortedBy(rules, ({ name }) => name).map(({ checked }) => checked);
  return { id: idOf(object), object, rules: sound, mistakes, refs };
}

/** Joins a Route with the listeners and backends that it refers to. */
export function linkRoute(
  route: CheckedRoute,
  points: AttachPoints,
  selected: Selected,
  lookup: Lookup,
): LinkedRoute {
  const { object } = route;
  const broken: BrokenRef[] = [];
  const resolved = new Map<Ref, Backend>();
  for (const ref of route.refs) {
    const found = resolveBackend(ref, lookup);
    if ('code' in found) broken.push(found);
    else resolved.set(ref, found);
  }
  const attached = attach(object, points, selected);
  const used = new Map<string, Backend>();
  const upstreamOf = (ref: Ref) => {
    const backend = resolved.get(ref);
    if (backend) used.set(backend.upstream, backend);
    return backend?.upstream ?? '';
  };
  const active = attached.attachments.size > 0 && route.rules.length > 0;
  const served = active ? keyed(routeResource(route, attached, upstreamOf)) : undefined;
  const refs = resolvedRefs(broken);
  const backends = sortedBy(used.values(), ({ upstream }) => upstream);
  return {
    served,
    backends,
    listeners: active ? [...attached.attachments.keys()] : [],
    ruleNames: object.spec.rules.map(({ name }) => name),
    status: {
      kind: 'Route',
      namespace: namespaceOf(object),
      name: object.metadata.name,
      generation: object.metadata.generation ?? 0,
      conditions: [overallAcceptance(route, attached), refs],
      parents: attached.parents.map(({ parentRef, refusal }) => ({
        parentRef,
        conditions: [
          refusal ? refused(refusal.reason, refusal.message) : ruleAcceptance(route),
          refs,
        ],
      })),
      resources: served
        ? [served.key, ...backends.map(({ upstream }) => keyOf(Kind.UPSTREAM, upstream))]
        : [],
    },
  };
}

function routeResource(
  route: CheckedRoute,
  { attachments }: Attached,
  upstreamOf: (ref: Ref) => string,
): Resource {
  const message = create(RouteSchema, {
    created: BigInt(createdAt(route.object)),
    attachments: [...attachments].map(([listener, hostnames]) => ({ listener, hostnames })),
    rules: route.rules.flatMap((rule) => ruleMessages(rule, upstreamOf)),
  });
  return resourceOf(Kind.ROUTE, route.id, RouteSchema, message);
}

function ruleMessages(
  { messages, backends, mirrors, fallback }: CheckedRule,
  upstreamOf: (ref: Ref) => string,
): RuleInit[] {
  const copies = mirrors
    .map(({ ref, percent }) => ({ upstream: upstreamOf(ref), percent }))
    .filter(({ upstream }) => upstream !== '');
  const forward = backends && {
    backends: backends.map(({ ref, ...rest }) => ({ ...rest, upstream: upstreamOf(ref) })),
  };
  const instead = fallback && fallbackMessage(fallback, upstreamOf);
  return messages.map((message) => ({
    ...message,
    mirrors: copies,
    ...(instead ? { fallback: { instead } } : {}),
    ...(forward ? { action: { case: 'forward' as const, value: forward } } : {}),
  }));
}

/** Without its backend a fallback is none: the status says so. */
function fallbackMessage(fallback: CheckedFallback, upstreamOf: (ref: Ref) => string) {
  if ('respond' in fallback) return { case: 'respond' as const, value: fallback.respond };
  const upstream = upstreamOf(fallback.ref);
  return upstream === '' ? undefined : { case: 'backend' as const, value: { upstream, weight: 1 } };
}

function ruleAcceptance({ rules, mistakes }: CheckedRoute): Condition {
  if (mistakes.length === 0) return accepted();
  if (rules.length === 0) return refused('UnsupportedValue', listed(mistakes));
  return { ...accepted(listed(mistakes)), reason: 'PartiallyInvalid' };
}

/** The Route is accepted when one of its parents accepts it; the message tells what others said. */
function overallAcceptance(route: CheckedRoute, { parents }: Attached): Condition {
  const own = ruleAcceptance(route);
  const refusals = parents.flatMap(({ refusal }) => refusal ?? []);
  const message = joined([
    ...(own.message === '' ? [] : [own.message]),
    ...refusals.map((refusal) => refusal.message),
  ]);
  const isServed = refusals.length < parents.length;
  if (own.status === 'False' || isServed) return { ...own, message };
  const [first] = refusals;
  return first
    ? refused(first.reason, message)
    : refused(
        'NotAllowedByListeners',
        joined([
          ...(own.message === '' ? [] : [own.message]),
          `there is no Gateway in namespace "${namespaceOf(route.object)}", and no other Gateway allows its Routes`,
        ]),
      );
}
