import type { ExpressionScope, PolicyObject, TargetRef } from '@gatehouse/crds';
import type { Resource } from '@gatehouse/snapshot';
import type { BrokenRef, Mistake } from '../status.ts';
import type { PolicyContext } from './context.ts';

/** A rule of a policy as it goes on the wire; see PolicyRule in snapshot.proto. */
export type DraftRule = { block: string; name: string; config: unknown };

/** What a kind of policy adds to what all have in common; see registry.ts. */
export type PolicyDefinition<F> = {
  kind: PolicyObject['kind'];
  /** Whether its targets answer 500 while it cannot be enforced; else it is left out. */
  failsClosed: boolean;
  /** Blocks whose rules are alternatives, so that one more is one more way in. */
  closing: readonly string[];
  /** What `when` may speak of. */
  whenScope: ExpressionScope;
  /** Checks the fields (given directly, under `defaults` or `overrides`) and cuts them into rules. */
  rulesOf(fields: F, path: string, context: PolicyContext): DraftRule[];
  /** Normalised paths on which the policy does not apply; "/a/*" stands for everything below. */
  excludedPaths(fields: F): readonly string[];
  /** Lower-case names of headers that only the gateway may set. */
  guardedHeaders(fields: F): readonly string[];
};

/** A policy by itself, with the Secrets it names. */
export type CheckedPolicy = {
  kind: PolicyObject['kind'];
  failsClosed: boolean;
  object: PolicyObject;
  /** "<namespace>/<name>" */
  id: string;
  /** Seconds since the epoch; 0 when unknown. */
  created: number;
  targets: readonly TargetRef[];
  when: string;
  shadow: boolean;
  /** Its rules stand above those of more specific targets. */
  overrides: boolean;
  excludedPaths: readonly string[];
  rules: readonly DraftRule[];
  closing: readonly string[];
  guardedHeaders: readonly string[];
  mistakes: readonly Mistake[];
  broken: readonly BrokenRef[];
  /** What the rules refer to. */
  secrets: readonly Resource[];
};

/**
 * Why the policy cannot be enforced; "" when it can. One that does not fail closed says itself what
 * happens without the Secrets it names.
 */
export function faultOf({ mistakes, broken, failsClosed }: CheckedPolicy): string {
  const [first] = failsClosed ? [...mistakes, ...broken] : mistakes;
  return first ? `${first.path}: ${first.reason}` : '';
}
