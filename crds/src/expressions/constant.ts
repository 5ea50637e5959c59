import type { Shape } from './node.ts';
import { Mistake } from './place.ts';
import type { ExprOf } from './tree.ts';
import { Uint, type Value, type ValueKind } from './value.ts';

type Literal = Extract<Shape, { kind: 'literal' }>;

export const smallestInt = -(2n ** 63n);
export const largestInt = 2n ** 63n - 1n;
export const largestUint = 2n ** 64n - 1n;

/** The parser takes numbers of any size. */
export function constant({ constantKind }: ExprOf<'constExpr'>, at: number): Literal {
  switch (constantKind.case) {
    case 'boolValue':
      return literal('bool', constantKind.value);
    case 'stringValue':
      return literal('string', constantKind.value);
    case 'bytesValue':
      return literal('bytes', constantKind.value);
    case 'nullValue':
      return literal('null', null);
    case 'doubleValue':
      if (!Number.isFinite(constantKind.value)) throw new Mistake(at, 'too large for a double');
      return literal('double', constantKind.value);
    case 'int64Value':
      if (constantKind.value < smallestInt || constantKind.value > largestInt) {
        throw new Mistake(at, 'too large for an int of 64 bits');
      }
      return literal('int', constantKind.value);
    case 'uint64Value':
      if (constantKind.value > largestUint)
        throw new Mistake(at, 'too large for a uint of 64 bits');
      return literal('uint', new Uint(constantKind.value));
    default:
      throw new Mistake(at, 'durations and timestamps are left out here');
  }
}

function literal(kind: Exclude<ValueKind, 'list' | 'map'>, value: Value): Literal {
  return { kind: 'literal', type: { kind }, value };
}
