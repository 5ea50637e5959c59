import { safeInt, safeUint } from './arithmetic.ts';
import { exhausted, type Frame, spend } from './frame.ts';
import { type Overload, overload, sure } from './overload.ts';
import { types } from './type.ts';
import { Fault, type Result } from './value.ts';

const notNumber = new Fault('the text is no number of that type');
const notBool = new Fault('the text is neither "true" nor "false"');
const notText = new Fault('the bytes are not UTF-8');

const digits = /^[+-]?\d{1,20}$/;
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const special: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Inf', Number.POSITIVE_INFINITY],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Inf', Number.NEGATIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);
const bools: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'True', 'TRUE', 't', '1'].map((text) => [text, true] as const),
  ...['false', 'False', 'FALSE', 'f', '0'].map((text) => [text, false] as const),
]);

/** Towards zero. The ends of int are no doubles: what rounds to them is too large. */
function truncated(value: number, safe: (value: bigint) => Result): Result {
  if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 64) return notNumber;
  return safe(BigInt(Math.trunc(value)));
}

function intOf(value: number): Result {
  return Math.abs(value) >= 2 ** 63 ? notNumber : truncated(value, safeInt);
}

function parsedInt(text: string, safe: (value: bigint) => Result): Result {
  return digits.test(text) ? safe(BigInt(text.replace(/^\+/, ''))) : notNumber;
}

function parsedDouble(text: string): Result {
  if (text.length < 400 && decimal.test(text)) return Number(text);
  return special.get(text) ?? notNumber;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

function decoded(frame: Frame, value: Uint8Array): Result {
  if (spend(frame, value.length >> 5)) return exhausted;
  try {
    return decoder.decode(value);
  } catch (error) {
    if (error instanceof TypeError) return notText;
    throw error;
  }
}

/** Functions that are named as the type they make. */
export const conversions: ReadonlyMap<string, readonly Overload[]> = new Map<
  string,
  readonly Overload[]
>([
  [
    'int',
    [
      sure(['int'], types.int, (_, a) => a),
      overload(['uint'], types.int, (_, a) => safeInt(a.value)),
      overload(['double'], types.int, (_, a) => intOf(a)),
      overload(['string'], types.int, (_, a) => parsedInt(a, safeInt)),
    ],
  ],
  [
    'uint',
    [
      sure(['uint'], types.uint, (_, a) => a),
      overload(['int'], types.uint, (_, a) => safeUint(a)),
      overload(['double'], types.uint, (_, a) => (a < 0 ? notNumber : truncated(a, safeUint))),
      overload(['string'], types.uint, (_, a) => parsedInt(a, safeUint)),
    ],
  ],
  [
    'double',
    [
      sure(['double'], types.double, (_, a) => a),
      sure(['int'], types.double, (_, a) => Number(a)),
      sure(['uint'], types.double, (_, a) => Number(a.value)),
      overload(['string'], types.double, (_, a) => parsedDouble(a)),
    ],
  ],
  [
    'bool',
    [
      sure(['bool'], types.bool, (_, a) => a),
      overload(['string'], types.bool, (_, a) => bools.get(a) ?? notBool),
    ],
  ],
  [
    'string',
    [
      sure(['string'], types.string, (_, a) => a),
      sure(['bool'], types.string, (_, a) => String(a)),
      sure(['int'], types.string, (_, a) => String(a)),
      sure(['uint'], types.string, (_, a) => String(a.value)),
      sure(['double'], types.string, (_, a) => String(a)),
      overload(['bytes'], types.string, decoded),
    ],
  ],
  [
    'bytes',
    [
      sure(['bytes'], types.bytes, (_, a) => a),
      overload(['string'], types.bytes, (frame, a) =>
        spend(frame, a.length >> 5) ? exhausted : encoder.encode(a),
      ),
    ],
  ],
  ['dyn', [sure(['dyn'], types.dyn, (_, a) => a)]],
]);
