import { largestInt, largestUint, smallestInt } from './constant.ts';
import { exhausted, spend } from './frame.ts';
import { type Overload, overload, sure } from './overload.ts';
import { concatenated } from './texts.ts';
import { join, list, type Type, types } from './type.ts';
import { Fault, type Result, Uint } from './value.ts';

const overflow = new Fault('the result is too large for 64 bits');
const byZero = new Fault('division by zero');

export function safeInt(value: bigint): Result {
  return value < smallestInt || value > largestInt ? overflow : value;
}

export function safeUint(value: bigint): Result {
  return value < 0n || value > largestUint ? overflow : new Uint(value);
}

function elements(args: readonly Type[]): Type {
  const [a = types.dyn, b = types.dyn] = args;
  return (a.kind === 'list' && b.kind === 'list' && join(a, b)) || list(types.dyn);
}

function whole(
  operation: (a: bigint, b: bigint) => bigint,
  divides = false,
): readonly [Overload, Overload] {
  return [
    overload(['int', 'int'], types.int, (_, a, b) =>
      divides && b === 0n ? byZero : safeInt(operation(a, b)),
    ),
    overload(['uint', 'uint'], types.uint, (_, a, b) =>
      divides && b.value === 0n ? byZero : safeUint(operation(a.value, b.value)),
    ),
  ];
}

/** By the name that the parser gives them. */
export const arithmetic: ReadonlyMap<string, readonly Overload[]> = new Map<
  string,
  readonly Overload[]
>([
  [
    '_+_',
    [
      overload(['string', 'string'], types.string, (frame, a, b) => concatenated(frame, a + b)),
      ...whole((a, b) => a + b),
      sure(['double', 'double'], types.double, (_, a, b) => a + b),
      overload(['list', 'list'], elements, (frame, a, b) =>
        spend(frame, (a.length + b.length) >> 2) ? exhausted : [...a, ...b],
      ),
      overload(['bytes', 'bytes'], types.bytes, (frame, a, b) =>
        spend(frame, (a.length + b.length) >> 2) ? exhausted : Buffer.concat([a, b]),
      ),
    ],
  ],
  [
    '_-_',
    [...whole((a, b) => a - b), sure(['double', 'double'], types.double, (_, a, b) => a - b)],
  ],
  [
    '_*_',
    [...whole((a, b) => a * b), sure(['double', 'double'], types.double, (_, a, b) => a * b)],
  ],
  [
    '_/_',
    [...whole((a, b) => a / b, true), sure(['double', 'double'], types.double, (_, a, b) => a / b)],
  ],
  ['_%_', whole((a, b) => a % b, true)],
  [
    '-_',
    [
      overload(['int'], types.int, (_, a) => safeInt(-a)),
      sure(['double'], types.double, (_, a) => -a),
    ],
  ],
]);
