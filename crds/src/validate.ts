import { type AnyObject, type Kind, kinds } from './kinds.ts';
import { nodeOf } from './schema/node.ts';
import { alternatives, didYouMean } from './validation/nearest.ts';
import { withoutNulls } from './validation/nulls.ts';
import { found, type Problem } from './validation/problem.ts';
import { isFields, structureProblems } from './validation/structure.ts';

export type Validated = { object: AnyObject } | { problems: Problem[] };

/**
 * Checks an object as the API server would: fields, patterns, ranges, unknown fields, unique keys and
 * CEL rules. Every mistake is reported; defaults are not filled in. Never throws, whatever it is given.
 */
export function validateObject(value: unknown): Validated {
  if (!isFields(value)) {
    return { problems: [{ path: [], message: `expected an object, found ${found(value, true)}` }] };
  }
  const { kind } = value;
  if (!isKind(kind)) return { problems: [unknownKind(kind)] };
  const node = nodeOf(kinds[kind]);
  const [apiVersion = ''] = node.properties?.apiVersion?.enum ?? [];
  if (value.apiVersion !== apiVersion) {
    const actual = found(value.apiVersion, true);
    const message = `expected "${apiVersion}" for a ${kind}, found ${actual}`;
    return { problems: [{ path: ['apiVersion'], message }] };
  }
  const clean = withoutNulls(node, value);
  const problems = structureProblems(node, clean, kind !== 'Secret');
  return problems.length > 0 ? { problems } : { object: clean as AnyObject };
}

export function isKind(kind: unknown): kind is Kind {
  return typeof kind === 'string' && Object.hasOwn(kinds, kind);
}

function unknownKind(kind: unknown): Problem {
  const known = Object.keys(kinds);
  const hint = typeof kind === 'string' ? didYouMean(kind, known) : '';
  const message = `expected ${alternatives(known)}, found ${found(kind, true)}${hint}`;
  return { path: ['kind'], message };
}
