import type { SchemaNode } from '../schema/node.ts';
import { isFields } from './structure.ts';

/**
 * The value without the fields that are null: the API server takes those for left out, and Go writes
 * an empty list of Kubernetes' own kinds as null (`endpoints: null`). Nulls in lists stay, as mistakes.
 * Returns the same value when there is nothing to drop.
 */
export function withoutNulls(node: SchemaNode, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = node;
    if (!items) return value;
    const next = value.map((item) => withoutNulls(items, item));
    return next.some((item, index) => item !== value[index]) ? next : value;
  }
  if (!isFields(value) || !node.properties) return value;
  const open = node['x-kubernetes-preserve-unknown-fields'] === true;
  let next: Record<string, unknown> | undefined;
  for (const [key, field] of Object.entries(node.properties)) {
    if (!Object.hasOwn(value, key)) continue;
    const before = value[key];
    if (before !== null) {
      const after = withoutNulls(field, before);
      if (after !== before) next = { ...(next ?? value), [key]: after };
    } else {
      next = { ...(next ?? value) };
      if (open && field.type === 'array' && node.required?.includes(key)) next[key] = [];
      else delete next[key];
    }
  }
  return next ?? value;
}
