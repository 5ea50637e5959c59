import { type PolicyRule, PolicyRule_Closes } from './generated/snapshot_pb.js';

/**
 * The rules that are in force while the origins in `applying` apply (a bit set of their indices). By
 * precedence: a rule gives way to an earlier one of its block that has its name or closes the block.
 */
export function rulesInForce(rules: readonly PolicyRule[], applying: number): PolicyRule[] {
  const inForce: PolicyRule[] = [];
  for (const rule of rules) {
    if ((applying & (1 << rule.origin)) === 0) continue;
    if (displacing(inForce, rule) === undefined) inForce.push(rule);
  }
  return inForce;
}

/** The rule to which another gives way; undefined: it is in force. @param inForce what is, and comes before it. */
export function displacing(
  inForce: readonly PolicyRule[],
  rule: PolicyRule,
): PolicyRule | undefined {
  return inForce.find((earlier) => displaces(earlier, rule));
}

function displaces(earlier: PolicyRule, rule: PolicyRule): boolean {
  if (earlier.block !== rule.block) return false;
  if (earlier.name === rule.name) return true;
  if (earlier.origin === rule.origin) return false;
  return (
    earlier.closes === PolicyRule_Closes.ALL ||
    (earlier.closes === PolicyRule_Closes.SAME_RANK && earlier.rank === rule.rank)
  );
}
