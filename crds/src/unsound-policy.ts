import type { AuthPolicyObject } from './kinds.ts';
import { nodeOf } from './schema/node.ts';
import { type TargetRef, targetRefSchema } from './schema/policy.ts';
import { type Problem, pathText } from './validation/problem.ts';
import { isFields, structureProblems } from './validation/structure.ts';

/** Holds what is wrong with a policy whose rules cannot be read; only the gateway writes it. */
const faults = 'gatehouse.dev/faults';

/**
 * What is left of a policy that is not valid: its targets, as far as they can be read, and its mistakes.
 * Were it left out as a whole, what it protects would be open. Undefined for other kinds, and when
 * there is no name or no target to go by.
 * @param problems why it is not valid.
 */
export function unsoundPolicy(
  value: unknown,
  problems: readonly Problem[],
): AuthPolicyObject | undefined {
  if (!isFields(value) || value.kind !== 'AuthPolicy' || !isFields(value.metadata))
    return undefined;
  const { name, namespace, creationTimestamp, generation } = value.metadata;
  if (typeof name !== 'string' || !isFields(value.spec)) return undefined;
  const { targetRefs, shadow } = value.spec;
  const targets = Array.isArray(targetRefs) ? targetRefs.filter(isTargetRef) : [];
  if (targets.length === 0) return undefined;
  const mistakes = problems.map(({ path, message }) => [pathText(path), message]);
  return {
    apiVersion: 'gatehouse.dev/v1alpha1',
    kind: 'AuthPolicy',
    metadata: {
      name,
      ...(typeof namespace === 'string' ? { namespace } : {}),
      ...(typeof creationTimestamp === 'string' ? { creationTimestamp } : {}),
      ...(typeof generation === 'number' ? { generation } : {}),
      annotations: { [faults]: JSON.stringify(mistakes) },
    },
    spec: { targetRefs: targets, ...(shadow === true ? { shadow } : {}) },
  };
}

/** What was wrong with a policy of which only the targets are left; empty for all others. */
export function faultsOf({ metadata }: AuthPolicyObject): { path: string; reason: string }[] {
  const text = metadata.annotations?.[faults];
  if (text === undefined) return [];
  try {
    const list = JSON.parse(text) as [string, string][];
    return list.map(([path, reason]) => ({ path, reason }));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    // Written by somebody else: closed is the safe reading.
    return [{ path: `metadata.annotations["${faults}"]`, reason: 'must not be set' }];
  }
}

function isTargetRef(value: unknown): value is TargetRef {
  return structureProblems(nodeOf(targetRefSchema), value, true).length === 0;
}
