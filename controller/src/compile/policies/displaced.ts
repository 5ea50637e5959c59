import { displacing, type PolicyRule, rulesInForce } from '@gatehouse/snapshot';
import type { EffectivePolicy } from './effective.ts';

/** A rule that gives way to another. */
export type Displaced = {
  /** "authentication/users" */
  rule: string;
  /** Policy of the rule that stands in its place, "<namespace>/<name>". */
  by: string;
  /** Both policies are on the same target. */
  sameTarget: boolean;
  /** Both rules say the same. */
  alike: boolean;
};

/** What of a policy gives way in a scope, while all policies of the scope apply. */
export function displacedRules({ message }: EffectivePolicy, policy: string): Displaced[] {
  const { origins, rules } = message;
  const origin = origins.findIndex(({ name }) => name === policy);
  const inForce = rulesInForce(rules, enforced(message) | (1 << origin));
  return rules
    .filter((rule) => rule.origin === origin && !inForce.includes(rule))
    .flatMap((rule) => {
      const other = displacing(inForce, rule);
      if (!other) return [];
      const by = origins[other.origin]?.name ?? '';
      const alike = other.config === rule.config;
      return [{ rule: nameOf(rule), by, sameTarget: other.rank === rule.rank, alike }];
    });
}

/** What is in force in a scope while all policies apply, and what it replaces. */
export function rulesAt({ message }: EffectivePolicy) {
  const { origins, rules } = message;
  const nameAt = (index: number) => origins[index]?.name ?? '';
  const all = enforced(message);
  return rulesInForce(rules, all).map((rule) => {
    const others = rules.filter(
      (other) =>
        other.config !== rule.config &&
        (all & (1 << other.origin)) !== 0 &&
        other.block === rule.block &&
        other.name === rule.name,
    );
    const overrides = [...new Set(others.map(({ origin }) => nameAt(origin)))];
    return {
      name: nameOf(rule),
      from: nameAt(rule.origin),
      ...(overrides.length > 0 ? { overrides } : {}),
    };
  });
}

/** Bits of the policies that are not in shadow. */
function enforced({ origins }: EffectivePolicy['message']): number {
  return origins.reduce((bits, { shadow }, index) => (shadow ? bits : bits | (1 << index)), 0);
}

function nameOf({ block, name }: PolicyRule): string {
  return `${block}/${name}`;
}
