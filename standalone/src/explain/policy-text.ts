import type { ExplainedPolicy, NamedRule, RuleInForce } from './explanation.ts';
import { inline, table } from './table.ts';

/** What one kind of policy says. */
export function policyLines(policy: ExplainedPolicy): string[] {
  const { scope, broken, origins, rules, notInForce, shadow } = policy;
  const lines = [`for ${scope}`];
  if (broken !== null) lines.push('cannot be enforced: answers 500', `  ${broken}`);
  const told = origins.filter(({ when, applies }) => when !== '' || applies !== true);
  if (told.length > 0) {
    lines.push('policies with conditions');
    lines.push(...indented(table(told.map((origin) => [origin.policy, ...appliesText(origin)]))));
  }
  lines.push(rules.length > 0 ? 'in force' : 'nothing in force', ...indented(ruleLines(rules)));
  // Of a policy that does not apply all is said by that.
  const given = notInForce.filter(({ from }) =>
    origins.some(({ policy: name, applies }) => name === from && applies !== false),
  );
  if (given.length > 0) {
    lines.push('not in force');
    const rows = given.map((rule) => [rule.rule, originText(rule), rule.because]);
    lines.push(...indented(table(rows)));
  }
  if (shadow.length > 0) {
    lines.push('in shadow: evaluated and counted, not enforced', ...indented(ruleLines(shadow)));
  }
  return lines;
}

function appliesText({ applies, because, when }: ExplainedPolicy['origins'][number]): string[] {
  if (applies === true) return ['applies', `when is true: ${when}`];
  return [applies === false ? 'does not apply' : 'may apply', because];
}

function ruleLines(rules: readonly RuleInForce[]): string[] {
  const rows = table(rules.map((rule) => [rule.rule, originText(rule), configText(rule)]));
  return rules.flatMap(({ replaces }, index) => [
    rows[index] ?? '',
    ...replaces.map(({ rule, from }) => `  in place of ${rule} of ${from}`),
  ]);
}

function originText({ from, target, overrides }: NamedRule): string {
  return `${from} on ${target}${overrides ? ' (overrides)' : ''}`;
}

function configText({ config, uncertain }: RuleInForce): string {
  const { name: _, ...rest } = { name: '', ...(config as object) };
  return `${inline(rest)}${uncertain ? ' (depends on the identity)' : ''}`;
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
