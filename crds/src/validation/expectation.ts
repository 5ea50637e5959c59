import { patternWords } from '../schema/fields.ts';
import type { SchemaNode } from '../schema/node.ts';
import { alternatives } from './nearest.ts';

/** What a schema allows, in words: "an integer from 1 to 65535". */
export function expectation(node: SchemaNode): string {
  switch (node.type) {
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `an integer from ${node.minimum} to ${node.maximum}`;
    case 'array':
      return `a list of ${span(node.minItems, node.maxItems, 'item')}`;
    case 'object':
      return node.maxProperties === undefined
        ? 'an object'
        : `a map of ${span(0, node.maxProperties, 'field')}`;
    case 'string':
      return node.enum ? alternatives(node.enum.map((value) => `"${value}"`)) : text(node);
  }
}

function text(node: SchemaNode): string {
  if (node.format === 'date-time') return 'a time such as "2026-01-31T12:00:00Z" (RFC 3339)';
  const length = `${span(node.minLength, node.maxLength, 'character')}`;
  if (node.pattern === undefined) return `a string of ${length}`;
  const words = patternWords.get(node.pattern);
  return words === undefined
    ? `a string of ${length} that matches ${node.pattern}`
    : `${words}, ${length}`;
}

function span(least: number | undefined, most: number | undefined, noun: string): string {
  if (least) return `${least} to ${most} ${noun}s`;
  return `at most ${most} ${noun}s`;
}
