import type { ConsumerObject, PolicyObject, SecretObject } from '@gatehouse/crds';
import type { Resource } from '@gatehouse/snapshot';
import type { AttachPoints } from '../attach.ts';
import { createMemo } from '../memo.ts';
import { idOf, namespaceOf, sortedBy } from '../resources.ts';
import type { LinkedRoute } from '../route.ts';
import type { ObjectStatus } from '../status.ts';
import type { PolicyLookup } from './check.ts';
import { consumerStatus } from './consumers.ts';
import { type EffectivePolicy, effectivePolicy } from './effective.ts';
import type { CheckedPolicy } from './policy.ts';
import { policyStatus } from './policy-status.ts';
import { sharesLimits } from './rate-limit.ts';
import { checkByKind } from './registry.ts';
import { byTarget, type PolicyRoute, policyRoute, scopesOf } from './scopes.ts';
import { secretRefsOf } from './secret-refs.ts';

export type PolicyInput = {
  policies: readonly PolicyObject[];
  consumers: readonly ConsumerObject[];
  /** By "<namespace>/<name>". */
  secrets: ReadonlyMap<string, SecretObject>;
  points: AttachPoints;
  /** With the names of their rules. */
  routes: readonly { linked: LinkedRoute; rules: readonly string[] }[];
};

export type CompiledPolicies = {
  /** One a scope. */
  resources: EffectivePolicy['resource'][];
  /** What their rules refer to. */
  secrets: Resource[];
  /** See Compiled. */
  shares: boolean;
  statuses: ObjectStatus[];
};

/** Compiles policies; what was made of unchanged ones is kept. */
export function createPolicyCompiler() {
  const checked = createMemo<PolicyObject, CheckedPolicy>();
  const effective = createMemo<string, EffectivePolicy>();

  function check(object: PolicyObject, input: PolicyInput, consumers: Consumers): CheckedPolicy {
    const namespace = namespaceOf(object);
    const lookup: PolicyLookup = {
      secret: (name) => input.secrets.get(`${namespace}/${name}`),
      consumers: consumers.get(namespace) ?? [],
    };
    const names = [object.spec, ...lookup.consumers.map(({ spec }) => spec)].flatMap(secretRefsOf);
    const dependencies = [...lookup.consumers, ...names.map(lookup.secret)];
    return checked.get(object, dependencies, () => checkByKind(object, lookup));
  }

  return (input: PolicyInput): CompiledPolicies => {
    const consumers: Consumers = Map.groupBy(sortedBy(input.consumers, idOf), namespaceOf);
    const policies = sortedBy(input.policies, idOf).map((object) =>
      check(object, input, consumers),
    );
    const routes = new Map<string, PolicyRoute>();
    if (policies.length > 0) {
      for (const { linked, rules } of input.routes) {
        const route = policyRoute(linked, rules);
        routes.set(route.id, route);
      }
    }
    const resources: CompiledPolicies['resources'] = [];
    const statuses: ObjectStatus[] = [];
    for (const [kind, ofKind] of Map.groupBy(policies, (policy) => policy.kind)) {
      const scopes = scopesOf(byTarget(ofKind), input.points, [...routes.values()]).map((scope) =>
        effective.get(`${kind}/${scope.name}`, flattened(scope.levels), () =>
          effectivePolicy(kind, scope),
        ),
      );
      const reached = scopesByPolicy(scopes);
      resources.push(...scopes.map(({ resource }) => resource));
      for (const policy of ofKind) {
        const own = reached.get(policy) ?? [];
        statuses.push(policyStatus(policy, own, { points: input.points, routes }));
      }
    }
    statuses.push(
      ...sortedBy(input.consumers, idOf).map((consumer) => consumerStatus(consumer, input.secrets)),
    );
    checked.endRun();
    effective.endRun();
    return {
      resources,
      secrets: policies.flatMap(({ secrets }) => secrets),
      shares: policies.some(sharesLimits),
      statuses,
    };
  };
}

type Consumers = ReadonlyMap<string, readonly ConsumerObject[]>;

/** Levels apart, so that a policy that moves from one to another is a change. */
function flattened(levels: EffectivePolicy['levels']): unknown[] {
  return levels.flatMap(({ policies }) => [...policies, undefined]);
}

function scopesByPolicy(scopes: readonly EffectivePolicy[]): Map<CheckedPolicy, EffectivePolicy[]> {
  const reached = new Map<CheckedPolicy, EffectivePolicy[]>();
  for (const scope of scopes) {
    for (const policy of scope.levels.flatMap(({ policies }) => policies)) {
      const list = reached.get(policy);
      if (list) list.push(scope);
      else reached.set(policy, [scope]);
    }
  }
  return reached;
}
