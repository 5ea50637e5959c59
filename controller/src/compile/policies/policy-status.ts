import type { TargetRef } from '@gatehouse/crds';
import { Kind, keyOf } from '@gatehouse/snapshot';
import type { AttachPoints } from '../attach.ts';
import { namespaceOf } from '../resources.ts';
import {
  type AncestorStatus,
  accepted,
  type Condition,
  joined,
  listed,
  type ObjectStatus,
  refused,
  resolvedRefs,
} from '../status.ts';
import { type Displaced, displacedRules, rulesAt } from './displaced.ts';
import type { EffectivePolicy } from './effective.ts';
import { type CheckedPolicy, faultOf } from './policy.ts';
import type { PolicyRoute } from './scopes.ts';

/** What policies may target. */
export type Targets = {
  points: AttachPoints;
  /** By "<namespace>/<name>". */
  routes: ReadonlyMap<string, PolicyRoute>;
};

/** @param scopes those that the policy reaches, sorted by name. */
export function policyStatus(
  policy: CheckedPolicy,
  scopes: readonly EffectivePolicy[],
  targets: Targets,
): ObjectStatus {
  const { object, mistakes, broken } = policy;
  const ancestors = policy.targets.map((target) => ancestorOf(policy, target, scopes, targets));
  return {
    kind: policy.kind,
    namespace: namespaceOf(object),
    name: object.metadata.name,
    generation: object.metadata.generation ?? 0,
    conditions: [acceptance(policy, ancestors), resolvedRefs(broken)],
    ancestors,
    effective:
      mistakes.length > 0
        ? []
        : policy.targets.flatMap((target) => {
            const scope = scopes.find(({ name }) => isUnder(name, policy, target));
            return scope ? [{ target: targetText(policy, target), rules: rulesAt(scope) }] : [];
          }),
    resources: [
      ...scopes.map(({ resource }) => resource.key),
      ...policy.secrets.map(({ name }) => keyOf(Kind.SECRET, name)),
    ],
  };
}

/** Accepted when it is sound and one of its targets is there. */
function acceptance(policy: CheckedPolicy, ancestors: readonly AncestorStatus[]): Condition {
  const { mistakes } = policy;
  if (mistakes.length > 0) {
    const effect = closes(policy) ? 'its targets answer 500' : 'it is left out';
    return refused('Invalid', `${listed(mistakes)}; ${effect} until it is mended`);
  }
  const missing = ancestors.flatMap(({ conditions }) =>
    conditions.filter(({ type, status }) => type === 'Accepted' && status === 'False'),
  );
  const message = joined(missing.map((condition) => condition.message));
  if (missing.length === ancestors.length) return refused('TargetNotFound', message);
  return accepted(message);
}

/** Whether it closes its targets when it cannot be enforced. */
function closes({ failsClosed, shadow }: CheckedPolicy): boolean {
  return failsClosed && !shadow;
}

function ancestorOf(
  policy: CheckedPolicy,
  target: TargetRef,
  scopes: readonly EffectivePolicy[],
  targets: Targets,
): AncestorStatus {
  const namespace = namespaceOf(policy.object);
  const ancestorRef = { ...target, namespace };
  const absent = whyAbsent(namespace, target, targets);
  if (absent !== undefined) {
    const index = policy.targets.indexOf(target);
    const message = `spec.targetRefs[${index}]: ${absent}`;
    return {
      ancestorRef,
      conditions: [refused('TargetNotFound', message)],
      unenforced: { reason: 'TargetNotFound', message: absent },
    };
  }
  const fault = faultOf(policy);
  if (fault !== '') {
    const effect = closes(policy) ? 'requests are answered with 500' : 'it is left out';
    const message = `${fault}; ${effect}`;
    return {
      ancestorRef,
      conditions: [policy.mistakes.length > 0 ? refused('Invalid', fault) : accepted()],
      unenforced: { reason: 'Invalid', message },
    };
  }
  const own = scopes.filter(({ name }) => isUnder(name, policy, target));
  const given = own.map((scope) => displacedRules(scope, policy.id));
  const conflicts = distinct(given.flat().filter(({ sameTarget, alike }) => sameTarget && !alike));
  // Only what gives way everywhere under the target is overridden there.
  const gone = distinct(given[0] ?? []).filter((one) =>
    given.every((list) => list.some((other) => other.rule === one.rule)),
  );
  const all = own.length > 0 && gone.length === policy.rules.length;
  const overriders = [...new Set(gone.map(({ by }) => by))].join(', ');
  return {
    ancestorRef,
    conditions: [accepted(), conflictOf(policy, conflicts), overriddenOf(all, gone, overriders)],
    unenforced: all
      ? { reason: 'Overridden', message: `Overridden by ${overriders}` }
      : policy.shadow
        ? { reason: 'Shadow', message: 'it is in shadow: evaluated and counted only' }
        : own.length === 0
          ? { reason: 'NoTraffic', message: 'nothing is served there' }
          : undefined,
  };
}

function conflictOf({ kind }: CheckedPolicy, conflicts: readonly Displaced[]): Condition {
  const type = 'Conflicted';
  if (conflicts.length === 0) return { type, status: 'False', reason: 'NoConflicts', message: '' };
  const texts = conflicts.map(
    ({ rule, by }) => `${rule} gives way to the older ${kind} "${by}" on the same target`,
  );
  const message = `${joined(texts)}: join the two, or rename the rule`;
  return { type, status: 'True', reason: 'Conflicted', message };
}

function overriddenOf(all: boolean, gone: readonly Displaced[], by: string): Condition {
  const type = 'Overridden';
  const told = gone.filter(({ alike }) => !alike);
  if (told.length === 0) return { type, status: 'False', reason: 'InForce', message: '' };
  if (all) return { type, status: 'True', reason: 'Overridden', message: `Overridden by ${by}` };
  const message = joined(told.map((one) => `${one.rule} is overridden by ${one.by}`));
  return { type, status: 'False', reason: 'PartiallyOverridden', message };
}

function distinct(displaced: readonly Displaced[]): Displaced[] {
  return [...new Map(displaced.map((one) => [`${one.rule} ${one.by}`, one])).values()];
}

/** Why a target is not there; undefined when it is. */
function whyAbsent(
  namespace: string,
  { kind, name, sectionName }: TargetRef,
  { points, routes }: Targets,
): string | undefined {
  const id = `${namespace}/${name}`;
  if (kind === 'Gateway') {
    const listeners = points.get(id);
    if (!listeners) return `Gateway "${id}" does not exist`;
    if (sectionName === undefined || listeners.some(({ section }) => section === sectionName)) {
      return undefined;
    }
    const names = listeners.map(({ section }) => `"${section}"`).join(', ');
    return `Gateway "${id}" has no listener "${sectionName}", only ${names}`;
  }
  const route = routes.get(id);
  if (!route) return `Route "${id}" does not exist`;
  if (sectionName === undefined || route.rules.includes(sectionName)) return undefined;
  return `Route "${id}" has no rule "${sectionName}", only ${route.rules.map((rule) => `"${rule}"`).join(', ')}`;
}

/** Whether a scope lies under a target. */
function isUnder(scope: string, policy: CheckedPolicy, target: TargetRef): boolean {
  const { kind, name, sectionName } = target;
  const [gatewayNamespace, gateway, listener, routeNamespace, route, rule] = scope.split('/');
  const namespace = namespaceOf(policy.object);
  if (kind === 'Gateway') {
    const same = gatewayNamespace === namespace && gateway === name;
    return same && (sectionName === undefined || listener === sectionName);
  }
  const same = routeNamespace === namespace && route === name;
  return same && (sectionName === undefined || rule === sectionName);
}

function targetText(policy: CheckedPolicy, { kind, name, sectionName }: TargetRef): string {
  const section = sectionName === undefined ? '' : `/${sectionName}`;
  return `${kind} ${namespaceOf(policy.object)}/${name}${section}`;
}
