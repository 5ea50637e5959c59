import type { Policy } from '@gatehouse/snapshot';
import type { Exchange } from '../exchange/exchange.ts';
import type { Family } from '../telemetry/families.ts';
import type { Denial } from './filter.ts';
import type { ThreadState } from './thread-state.ts';

export const policyDecisions: Family = {
  name: 'gatehouse_policy_decisions_total',
  type: 'counter',
  help: 'What policies decided, by kind, policy, rule and decision: allowed, denied, error, shadow_denied or shadow_error.',
};

/** Counts and logs what was decided by a Policy resource. */
export type Decisions = {
  /** @param applying bit set of the policies that applied; the first of them is named. */
  allowed(applying: number): void;
  denied(exchange: Exchange, denial: Denial, shadow: boolean): void;
  /** The condition of the policy with this index could not be evaluated. */
  failed(exchange: Exchange, origin: number, error: unknown): void;
};

export function countDecisions({ kind, origins }: Policy, thread: ThreadState): Decisions {
  const slot = (policy: string, rule: string, decision: string) =>
    thread.counter(policyDecisions.name, { kind, policy, rule, decision });
  const allowed = origins.map(({ name }) => slot(name, '', 'allowed'));
  return {
    allowed(applying) {
      const first = 31 - Math.clz32(applying & -applying);
      thread.count(allowed[first] ?? 0);
    },
    denied({ requestId }, { rule: { policy, block, name }, reason, kind: how }, shadow) {
      const rule = `${block}/${name}`;
      thread.count(slot(policy, rule, shadow ? `shadow_${how}` : how));
      thread.denied({ requestId, policy, rule, reason, shadow });
    },
    failed({ requestId }, index, error) {
      const policy = origins[index]?.name ?? '';
      thread.count(slot(policy, 'when', 'error'));
      thread.denied({ requestId, policy, rule: 'when', reason: String(error), shadow: false });
    },
  };
}
