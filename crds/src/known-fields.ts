import { type Kind, kinds } from './kinds.ts';
import { nodeOf, type SchemaNode } from './schema/node.ts';
import type { Path } from './validation/problem.ts';
import { isFields } from './validation/structure.ts';

/**
 * An object with only the fields that the schema of its kind has: what is left out is what Gatehouse
 * does not read. `unknown` are fields of our own kinds that this release does not know, as a newer CRD
 * may have; fields of other kinds, of metadata and of status are left out silently.
 */
export function knownFields(kind: Kind, value: unknown): { value: unknown; unknown: Path[] } {
  const unknown: Path[] = [];

  function prune(node: SchemaNode, path: Path, actual: unknown): unknown {
    const { items, properties, additionalProperties } = node;
    if (Array.isArray(actual)) {
      return items ? actual.map((item, index) => prune(items, [...path, index], item)) : actual;
    }
    if (!isFields(actual) || additionalProperties || !properties) return actual;
    const open = node['x-kubernetes-preserve-unknown-fields'] === true;
    const kept: Record<string, unknown> = {};
    for (const [key, field] of Object.entries(actual)) {
      const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
      if (known) kept[key] = prune(known, [...path, key], field);
      else if (!open) unknown.push([...path, key]);
    }
    return kept;
  }

  return { value: prune(nodeOf(kinds[kind]), [], value), unknown };
}
