import { type Frame, spend } from './frame.ts';
import { lookUp, mapKeys, mapSize } from './maps.ts';
import { isList, isMap, type MapValue, Uint, type Value } from './value.ts';

/** CEL's equality: numbers by value whatever their type; values of different types are not equal. */
export function equals(frame: Frame, a: Value, b: Value): boolean {
  if (typeof a === 'string' || typeof b === 'string') return textEquals(frame, a, b);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return a === b || numbersEqual(a, b);
  }
  if (isList(a)) return isList(b) && listEquals(frame, a, b);
  if (a instanceof Uint8Array) return b instanceof Uint8Array && compareBytes(frame, a, b) === 0;
  if (isMap(a)) return isMap(b) && mapEquals(frame, a, b);
  return numbersEqual(a, b);
}

function numbersEqual(a: Value, b: Value): boolean {
  const x = plainNumber(a);
  const y = plainNumber(b);
  // Exact between bigint and number, and never true for NaN.
  return x !== undefined && y !== undefined && x >= y && x <= y;
}

function plainNumber(value: Value): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  return value instanceof Uint ? value.value : undefined;
}

/** Only long texts of one length cost something. */
function textEquals(frame: Frame, a: Value, b: Value): boolean {
  if (typeof a === 'string' && a.length > 512 && typeof b === 'string' && a.length === b.length) {
    if (spend(frame, a.length >> 9)) return false;
  }
  return a === b;
}

function listEquals(frame: Frame, a: readonly Value[], b: readonly Value[]): boolean {
  if (a.length !== b.length || spend(frame, 1 + (a.length >> 2))) return false;
  return a.every((item, index) => equals(frame, item, b[index] as Value));
}

function mapEquals(frame: Frame, a: MapValue, b: MapValue): boolean {
  const size = mapSize(a);
  if (size !== mapSize(b) || spend(frame, 1 + 4 * size)) return false;
  return mapKeys(a).every((key) => {
    const own = lookUp(a, key);
    const other = lookUp(b, key);
    return own !== undefined && other !== undefined && equals(frame, own, other);
  });
}

/**
 * Which of two values is less: negative, 0 or positive, NaN when neither is (NaN itself), undefined when
 * they cannot be ordered.
 */
export function compare(frame: Frame, a: Value, b: Value): number | undefined {
  if (typeof a === 'string') return typeof b === 'string' ? compareTexts(frame, a, b) : undefined;
  if (typeof a === 'boolean') return typeof b === 'boolean' ? Number(a) - Number(b) : undefined;
  if (a instanceof Uint8Array) {
    return b instanceof Uint8Array ? compareBytes(frame, a, b) : undefined;
  }
  const x = plainNumber(a);
  const y = plainNumber(b);
  if (x === undefined || y === undefined) return undefined;
  if (typeof x === 'bigint' && typeof y === 'bigint') return x < y ? -1 : Number(x > y);
  // As cel-go: an int that meets a double is rounded to one.
  const [left, right] = [Number(x), Number(y)];
  if (left === right) return 0;
  return left < right ? -1 : left > right ? 1 : Number.NaN;
}

/** By code points: UTF-16 orders U+E000 to U+FFFF behind the characters that take two units. */
function compareTexts(frame: Frame, a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (left === right) continue;
    frame.steps += index >> 4;
    return codePointRank(left) - codePointRank(right);
  }
  frame.steps += length >> 4;
  return a.length - b.length;
}

function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x10000 : unit;
}

function compareBytes(frame: Frame, a: Uint8Array, b: Uint8Array): number {
  frame.steps += Math.min(a.length, b.length) >> 5;
  return Buffer.compare(a, b);
}
