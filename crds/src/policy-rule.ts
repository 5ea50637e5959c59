import { kinds } from './kinds.ts';
import { nodeOf, type SchemaNode } from './schema/node.ts';
import { isKind } from './validate.ts';
import type { Problem } from './validation/problem.ts';
import { structureProblems } from './validation/structure.ts';

/**
 * Checks one rule of a policy, as it crosses the wire, against the schema of its kind. `block` is a
 * field of the spec; of a list or map one item is a rule. Unknown kinds, blocks and fields are problems.
 */
export function policyRuleProblems(kind: string, block: string, value: unknown): Problem[] {
  const node = blockOf(kind, block);
  if (!node) return [{ path: [], message: `is of no kind this release knows: ${kind} ${block}` }];
  return structureProblems(node, value, true);
}

function blockOf(kind: string, block: string): SchemaNode | undefined {
  if (!isKind(kind)) return undefined;
  const spec = nodeOf(kinds[kind]).properties?.spec?.properties;
  const node = spec && Object.hasOwn(spec, block) ? spec[block] : undefined;
  return node?.items ?? node?.additionalProperties ?? node;
}
