import type { SchemaNode } from '../schema/node.ts';

// RFC 3339 section 5.6.
const dateTime = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;

/** Whether a value is what a string, integer or boolean node allows. */
export function scalarFits(node: SchemaNode, value: unknown): boolean {
  if (node.type === 'boolean') return typeof value === 'boolean';
  if (node.type === 'integer') return integerFits(node, value);
  return typeof value === 'string' && textFits(node, value);
}

function integerFits(node: SchemaNode, value: unknown): boolean {
  const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = node;
  return (
    typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum
  );
}

function textFits(node: SchemaNode, text: string): boolean {
  if (node.enum) return node.enum.includes(text);
  const { minLength = 0, maxLength = Number.MAX_SAFE_INTEGER } = node;
  if (!lengthFits(text, minLength, maxLength)) return false;
  if (node.format === 'date-time' && !(dateTime.test(text) && Date.parse(text) >= 0)) return false;
  return node.pattern === undefined || compiled(node.pattern).test(text);
}

/** The API server counts code points, JavaScript counts UTF-16 units: one or two of them each. */
function lengthFits(text: string, least: number, most: number): boolean {
  if (text.length < least || text.length > most * 2) return false;
  if (text.length <= most && text.length >= least * 2) return true;
  let length = 0;
  for (const _ of text) length++;
  return length >= least && length <= most;
}

const patterns = new Map<string, RegExp>();

function compiled(pattern: string): RegExp {
  let regex = patterns.get(pattern);
  if (!regex) {
    regex = new RegExp(pattern);
    patterns.set(pattern, regex);
  }
  return regex;
}
