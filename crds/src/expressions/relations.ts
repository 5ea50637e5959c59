import { compare, equals } from './compare.ts';
import { requireLowerCase } from './elements.ts';
import { type Evaluate, type Frame, spend, type Term } from './frame.ts';
import { lookUp, mapKey } from './maps.ts';
import { Mistake } from './place.ts';
import { isNumber, mayBe, mayEqual, type Read, type Type, types, typeText } from './type.ts';
import { Fault, isList, isMap, type Result, type Value } from './value.ts';

const { bool } = types;

export function equality(left: Term, right: Term, wanted: boolean, at: number): Term {
  if (!mayEqual(left.type, right.type)) throw new Mistake(at, neverEqual(left.type, right.type));
  const fallible = left.fallible || right.fallible;
  return { type: bool, at, fallible, evaluate: test(left, right, wanted) };
}

function neverEqual(left: Type, right: Type): string {
  const number = isNumber(left) ? right : isNumber(right) ? left : undefined;
  const hint = number?.kind === 'string' ? '; write string(...) around the number' : '';
  return `${typeText(left)} and ${typeText(right)} are never equal${hint}`;
}

function test(left: Term, right: Term, wanted: boolean): Evaluate {
  const [first, second] = [left.evaluate, right.evaluate];
  const literal = right.constant;
  // Most comparisons are of a text with a literal: saves 10 ns of 23.
  if (typeof literal === 'string') {
    return (frame) => {
      const value = first(frame);
      return value instanceof Fault ? value : (value === literal) === wanted;
    };
  }
  return (frame) => {
    const a = first(frame);
    if (a instanceof Fault) return a;
    const b = second(frame);
    return b instanceof Fault ? b : equals(frame, a, b) === wanted;
  };
}

export type Sign = '<' | '<=' | '>' | '>=';

const holds: Readonly<Record<Sign, (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

const ordered = ['string', 'bool', 'bytes'] as const;

function mayOrder(a: Type, b: Type): boolean {
  if (ordered.some((kind) => mayBe(a, kind) && mayBe(b, kind))) return true;
  const mayCount = (type: Type) => isNumber(type) || mayBe(type, 'double');
  return mayCount(a) && mayCount(b);
}

export function comparison(left: Term, right: Term, sign: Sign, at: number): Term {
  if (!mayOrder(left.type, right.type)) {
    const both = `${typeText(left.type)} and ${typeText(right.type)}`;
    throw new Mistake(at, `"${sign}" cannot compare ${both}`);
  }
  const [first, second, isSo] = [left.evaluate, right.evaluate, holds[sign]];
  const unordered = new Fault(`"${sign}" cannot compare the two values`, at);
  return {
    type: bool,
    at,
    fallible: true,
    evaluate: (frame) => {
      const a = first(frame);
      if (a instanceof Fault) return a;
      const b = second(frame);
      if (b instanceof Fault) return b;
      const order = compare(frame, a, b);
      return order === undefined ? unordered : isSo(order);
    },
  };
}

export function membership(item: Term, whole: Term, at: number): Term {
  const { type } = whole;
  const expected = type.kind === 'list' ? type.element : type.kind === 'map' ? type.key : types.dyn;
  if (!['list', 'map', 'lookup', 'dyn', 'json'].includes(type.kind)) {
    throw new Mistake(at, `"in" needs a list or map behind it, found ${typeText(type)}`);
  }
  if (!mayEqual(item.type, type.kind === 'lookup' ? types.string : expected)) {
    throw new Mistake(item.at, `${typeText(item.type)} is never in ${typeText(type)}`);
  }
  if (type.kind === 'lookup' && typeof item.constant === 'string') {
    requireLowerCase(type, item.constant, item.at);
  }
  const noKey = new Fault('"in" cannot look for such a value', at);
  const among = type.kind === 'lookup' ? entryOf(type.read, noKey) : memberOf(whole, noKey);
  const { evaluate } = item;
  return {
    type: bool,
    at,
    fallible: item.fallible || whole.fallible || !(type.kind === 'list'),
    evaluate: (frame) => {
      const value = evaluate(frame);
      return value instanceof Fault ? value : among(frame, value);
    },
  };
}

type Among = (frame: Frame, value: Value) => Result;

function entryOf(read: Read, noKey: Fault): Among {
  return (frame, key) => {
    if (typeof key === 'string') return read(frame, key) !== undefined;
    return isKey(key) ? false : noKey;
  };
}

function memberOf({ evaluate }: Term, noKey: Fault): Among {
  return (frame, value) => {
    const whole = evaluate(frame);
    if (whole instanceof Fault) return whole;
    if (isList(whole)) return isMember(frame, value, whole);
    return isMap(whole) && isKey(value) ? lookUp(whole, value) !== undefined : noKey;
  };
}

/** What may be looked for among keys: 3.5 may, although it is never one. */
function isKey(value: Value): boolean {
  return typeof value === 'number' || !(mapKey(value) instanceof Fault);
}

function isMember(frame: Frame, value: Value, list: readonly Value[]): boolean {
  frame.steps += list.length >> 2;
  if (typeof value === 'string') return list.includes(value);
  return list.some((item) => !spend(frame, 0) && equals(frame, value, item));
}
