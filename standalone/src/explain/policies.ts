import { type Exchange, policiesAt } from '@gatehouse/dataplane/explain';
import { displacing, type Policy, type PolicyRule, rulesInForce } from '@gatehouse/snapshot';
import type { ExplainedPolicy, NamedRule, RuleInForce } from './explanation.ts';
import type { LinkedSnapshot, ScopedPolicy } from './linked.ts';
import { explainedOrigin } from './origins.ts';

/** What policies say about a request that a rule of a Route serves, kind by kind. */
export function explainedPolicies(
  { policies }: LinkedSnapshot,
  at: { listener: string; route: string; rule: string },
  exchange: Exchange,
): ExplainedPolicy[] {
  return policiesAt(policies, at.listener, at.route, at.rule).map((policy) =>
    explainedPolicy(policy, exchange),
  );
}

function explainedPolicy({ name, message }: ScopedPolicy, exchange: Exchange): ExplainedPolicy {
  const { kind, broken, rules } = message;
  const scope = name.slice(kind.length + 1);
  const told = message.origins.map((origin) => explainedOrigin(kind, origin, exchange));
  const failed = told.find(({ failure }) => failure !== undefined);
  const fault = failed
    ? `when of ${failed.policy} cannot be evaluated: ${failed.failure}`
    : broken || null;
  // What depends on the identity may apply: its rules are shown, and marked.
  const applying = bitsOf(told, ({ applies }) => applies !== false);
  const enforced = applying & ~bitsOf(told, ({ shadow }) => shadow);
  const inForce = rulesInForce(rules, enforced);
  const withShadow = rulesInForce(rules, applying);
  const named = (rule: PolicyRule) => namedRule(rule, message, scope);
  const explained = (rule: PolicyRule, all: readonly PolicyRule[], bits: number): RuleInForce => ({
    ...named(rule),
    config: JSON.parse(rule.config),
    uncertain: told[rule.origin]?.applies === null,
    replaces: rules
      .filter((other) => (bits & (1 << other.origin)) !== 0 && !all.includes(other))
      .filter((other) => displacing(all, other) === rule && other.config !== rule.config)
      .map((other) => ({ rule: nameOf(other), from: named(other).from })),
  });
  const isShadow = (rule: PolicyRule) => told[rule.origin]?.shadow === true;
  return {
    kind,
    scope: levelsOf(scope).at(-1) ?? '',
    broken: fault,
    origins: told.map(({ failure: _, ...origin }) => origin),
    rules: byBlock(inForce).map((rule) => explained(rule, inForce, enforced)),
    notInForce: byBlock(rules)
      .filter((rule) => !inForce.includes(rule) && !isShadow(rule))
      .map((rule) => {
        const other = displacing(inForce, rule);
        const because = told[rule.origin]?.because || displacedText(rule, other, message);
        return { ...named(rule), because };
      }),
    shadow: byBlock(withShadow)
      .filter(isShadow)
      .map((rule) => explained(rule, withShadow, applying)),
  };
}

/** Rules of different blocks have nothing to do with each other. */
function byBlock(rules: readonly PolicyRule[]): PolicyRule[] {
  return [...Map.groupBy(rules, ({ block }) => block)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, ofBlock]) => ofBlock);
}

function displacedText(
  rule: PolicyRule,
  other: PolicyRule | undefined,
  { origins }: Policy,
): string {
  if (!other) return '';
  const by = `${nameOf(other)} of ${origins[other.origin]?.name}`;
  if (other.name !== rule.name) return `closed out by ${by}`;
  return other.config === rule.config ? `${by} says the same` : `replaced by ${by}`;
}

function namedRule(rule: PolicyRule, { origins }: Policy, scope: string): NamedRule {
  const levels = levelsOf(scope);
  // Overrides come first, from the Gateway downwards, then the others from the rule upwards.
  const overrides = rule.rank < levels.length;
  const level = overrides ? rule.rank : 2 * levels.length - 1 - rule.rank;
  return {
    rule: nameOf(rule),
    from: origins[rule.origin]?.name ?? '',
    target: levels[level] ?? '',
    overrides,
  };
}

/** What policies of a scope may target, from the widest to the scope itself. */
function levelsOf(scope: string): string[] {
  const [gatewayNamespace, gateway, listener, routeNamespace, route, rule] = scope.split('/');
  const levels = [
    `Gateway ${gatewayNamespace}/${gateway}`,
    `listener ${listener} of Gateway ${gatewayNamespace}/${gateway}`,
  ];
  if (route !== undefined) levels.push(`Route ${routeNamespace}/${route}`);
  if (rule !== undefined) levels.push(`rule ${rule} of Route ${routeNamespace}/${route}`);
  return levels;
}

function nameOf({ block, name }: PolicyRule): string {
  return `${block}/${name}`;
}

function bitsOf<T>(items: readonly T[], holds: (item: T) => boolean): number {
  return items.reduce((bits, item, index) => (holds(item) ? bits | (1 << index) : bits), 0);
}
