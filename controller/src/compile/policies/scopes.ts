import type { TargetRef } from '@gatehouse/crds';
import type { AttachPoints } from '../attach.ts';
import { compareText, namespaceOf, sortedBy } from '../resources.ts';
import type { LinkedRoute } from '../route.ts';
import type { CheckedPolicy } from './policy.ts';

/** Policies of one kind by what they target, the older first. */
export type Targeted = ReadonlyMap<string, readonly CheckedPolicy[]>;

/** A part of what is served, in which one Policy resource says what is in force. */
export type Scope = {
  /** "<listener>[/<route>[/<rule>]]" */
  name: string;
  /** Gateway, listener, Route, rule; as many as the scope has. */
  levels: readonly Level[];
};

/** A target, and the policies on it. */
export type Level = { target: string; policies: readonly CheckedPolicy[] };

/** A Route as far as policies care. */
export type PolicyRoute = {
  /** "<namespace>/<name>" */
  id: string;
  rules: readonly string[];
  listeners: readonly string[];
};

export function policyRoute({ status, listeners }: LinkedRoute, rules: readonly string[]) {
  return { id: `${status.namespace}/${status.name}`, rules, listeners };
}

/** The name by which a target is found: "Gateway/<ns>/<name>[/<listener>]", "Route/<ns>/<name>[/<rule>]". */
export function targetName(policy: CheckedPolicy, target: TargetRef): string {
  const { kind, name, sectionName } = target;
  const section = sectionName === undefined ? '' : `/${sectionName}`;
  return `${kind}/${namespaceOf(policy.object)}/${name}${section}`;
}

/** Of policies on one target the older comes first, then namespace and name decide (GEP-713). */
export function byTarget(policies: readonly CheckedPolicy[]): Targeted {
  const targeted = new Map<string, CheckedPolicy[]>();
  const inTurn = [...policies].sort((a, b) => a.created - b.created || compareText(a.id, b.id));
  for (const policy of inTurn) {
    for (const name of new Set(policy.targets.map((target) => targetName(policy, target)))) {
      const list = targeted.get(name);
      if (list) list.push(policy);
      else targeted.set(name, [policy]);
    }
  }
  return targeted;
}

/** Every scope that needs a resource of its own, sorted by name. */
export function scopesOf(
  targeted: Targeted,
  points: AttachPoints,
  routes: readonly PolicyRoute[],
): Scope[] {
  if (targeted.size === 0) return [];
  const at = (target: string): Level => ({ target, policies: targeted.get(target) ?? [] });
  const scopes: Scope[] = [];
  const above = new Map<string, Scope['levels']>();
  for (const [gateway, listeners] of points) {
    for (const { id, section } of listeners) {
      const levels = [at(`Gateway/${gateway}`), at(`Gateway/${gateway}/${section}`)];
      above.set(id, levels);
      if (levels.some(({ policies }) => policies.length > 0)) scopes.push({ name: id, levels });
    }
  }
  for (const route of routes) {
    const own = at(`Route/${route.id}`);
    const sections = route.rules.flatMap((rule) => {
      const level = at(`Route/${route.id}/${rule}`);
      return level.policies.length > 0 ? [{ rule, level }] : [];
    });
    if (own.policies.length === 0 && sections.length === 0) continue;
    for (const listener of route.listeners) {
      const levels = [...(above.get(listener) ?? []), own];
      const name = `${listener}/${route.id}`;
      if (own.policies.length > 0) scopes.push({ name, levels });
      for (const { rule, level } of sections) {
        scopes.push({ name: `${name}/${rule}`, levels: [...levels, level] });
      }
    }
  }
  return sortedBy(scopes, ({ name }) => name);
}
