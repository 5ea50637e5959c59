import type { SchemaNode } from '../schema/node.ts';
import { isFields } from './structure.ts';

/**
 * The value without the nulls that Kubernetes' own kinds may carry: Go writes an empty list as null
 * (`endpoints: null`) and reads null as left out. Our own kinds stay as strict as their CRDs.
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
    } else if (open) {
      next = { ...(next ?? value) };
      if (field.type === 'array' && node.required?.includes(key)) next[key] = [];
      else delete next[key];
    }
  }
  return next ?? value;
}
