import { type CelInput, celEnv, isCelError, parse, plan } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import type { SchemaNode } from '../schema/node.ts';
import type { CelRule } from '../schema/schema.ts';

type Evaluate = (bindings: { self: CelInput }) => unknown;

const evaluators = new Map<string, Evaluate>();

/** @throws Error when the text is not CEL; the rules of our schemas are compiled by a test. */
export function compileRule(rule: string): Evaluate {
  let evaluate = evaluators.get(rule);
  if (!evaluate) {
    evaluate = plan(celEnv({ funcs: strings }), parse(rule)) as Evaluate;
    evaluators.set(rule, evaluate);
  }
  return evaluate;
}

/** Messages of the rules that a sound value breaks. */
export function brokenRules(rules: readonly CelRule[], node: SchemaNode, value: unknown): string[] {
  const self = celValue(node, value);
  const messages: string[] = [];
  for (const { rule, message } of rules) {
    const result = compileRule(rule)({ self });
    if (isCelError(result)) messages.push(`${message} (${result.message})`);
    else if (result !== true) messages.push(message);
  }
  return messages;
}

/**
 * What the API server binds to `self`: integers are int, and defaults are filled in beforehand.
 * Fields outside the schema are not visible to rules.
 */
function celValue(node: SchemaNode, value: unknown): CelInput {
  if (typeof value === 'number') return BigInt(value);
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) {
    const { items } = node;
    return items ? value.map((item) => celValue(items, item)) : [];
  }
  const map = new Map<string, CelInput>();
  if (typeof value !== 'object' || value === null) return map;
  const fields = value as Record<string, unknown>;
  for (const [key, field] of Object.entries(node.properties ?? {})) {
    if (Object.hasOwn(fields, key)) map.set(key, celValue(field, fields[key]));
    else if (field.default !== undefined) map.set(key, celValue(field, field.default));
  }
  const { additionalProperties } = node;
  if (additionalProperties) {
    for (const [key, field] of Object.entries(fields)) {
      map.set(key, celValue(additionalProperties, field));
    }
  }
  return map;
}
