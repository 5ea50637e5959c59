import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  Kind,
  type Policy,
  PolicyRule_Closes,
  type PolicyRuleSchema,
  PolicySchema,
  resourceOf,
} from '@gatehouse/snapshot';
import { type Keyed, keyed } from '../keyed.ts';
import { type CheckedPolicy, faultOf } from './policy.ts';
import type { Level, Scope } from './scopes.ts';

/** A scope with its resource. */
export type EffectivePolicy = Scope & { message: Policy; resource: Keyed };

/**
 * The Policy resource of a scope: the rules of all policies that reach it, by precedence. Overrides come
 * first, from the Gateway downwards, then the others from the rule upwards (GEP-713).
 */
export function effectivePolicy(kind: CheckedPolicy['kind'], scope: Scope): EffectivePolicy {
  const { name, levels } = scope;
  const ranks = [
    ...levels.map((level) => part(level, ({ overrides }) => overrides)),
    ...levels.map((level) => part(level, ({ overrides }) => !overrides)).reverse(),
  ];
  const all = ranks.flatMap(({ policies }) => policies);
  // One that is only watched harms nobody by what is wrong with it.
  const faults = all.filter(
    (policy) => policy.failsClosed && !policy.shadow && faultOf(policy) !== '',
  );
  const origins = all.filter((policy) => faultOf(policy) === '');
  const guarded = new Set(all.flatMap(({ guardedHeaders }) => guardedHeaders));
  const message = create(PolicySchema, {
    kind,
    broken: faults.map((policy) => `${kind} "${policy.id}": ${faultOf(policy)}`).join('; '),
    origins: origins.map(({ id, when, shadow, excludedPaths }) => {
      return { name: id, when, shadow, excludedPaths: [...excludedPaths] };
    }),
    rules: ranks.flatMap(({ target, policies }, rank) =>
      policies
        .filter((policy) => origins.includes(policy))
        .flatMap((policy) =>
          rulesOf(policy).map((rule) => ({
            ...rule,
            origin: origins.indexOf(policy),
            rank,
            target,
          })),
        ),
    ),
    guardedHeaders: [...guarded].sort(),
    failsClosed: all.some((policy) => policy.failsClosed),
  });
  const resource = resourceOf(Kind.POLICY, `${kind}/${name}`, PolicySchema, message);
  return { ...scope, message, resource: keyed(resource) };
}

function part({ target, policies }: Level, belongs: (policy: CheckedPolicy) => boolean): Level {
  return { target, policies: policies.filter(belongs) };
}

type RuleInit = Extract<MessageInitShape<typeof PolicyRuleSchema>, { $typeName?: never }>;

function rulesOf(policy: CheckedPolicy): RuleInit[] {
  const closes = policy.overrides ? PolicyRule_Closes.ALL : PolicyRule_Closes.SAME_RANK;
  return policy.rules.map(({ block, name, config }) => ({
    block,
    name,
    config: JSON.stringify(config),
    closes: policy.closing.includes(block) ? closes : PolicyRule_Closes.CLOSES_UNSPECIFIED,
  }));
}
