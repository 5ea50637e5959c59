/**
 * Names of the Secrets that a spec refers to: whatever stands under a field that ends in "secretRef" or
 * "secretRefs", or under "apiKeys", at any depth. All are in the namespace of the object.
 */
export function secretRefsOf(spec: unknown): string[] {
  const names = new Set<string>();

  function visit(value: unknown, isRef: boolean): void {
    if (Array.isArray(value)) {
      for (const item of value) visit(item, isRef);
    } else if (typeof value === 'object' && value !== null) {
      if (isRef && 'name' in value && typeof value.name === 'string') names.add(value.name);
      for (const [key, field] of Object.entries(value))
        visit(field, /(secretRefs?|apiKeys)$/i.test(key));
    }
  }

  visit(spec, false);
  return [...names].sort();
}
