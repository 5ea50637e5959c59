import type { Evaluate, Term } from './frame.ts';
import { lookUp } from './maps.ts';
import { Mistake } from './place.ts';
import { isAny, isNumber, type LookupType, mayEqual, type Type, types, typeText } from './type.ts';
import { Fault, isList, isMap, Uint, type Value } from './value.ts';

/** operand[key] of anything but an object. */
export function index(operand: Term, key: Term, at: number): Term {
  const { type } = operand;
  switch (type.kind) {
    case 'lookup':
      return entry(type, key, at);
    case 'list':
      if (!isNumber(key.type) && !isAny(key.type)) {
        throw new Mistake(key.at, `a list is indexed by an int, found ${typeText(key.type)}`);
      }
      return element(operand, key, at);
    case 'map':
      if (!mayEqual(key.type, type.key)) {
        const found = typeText(key.type);
        throw new Mistake(key.at, `the keys are ${typeText(type.key)}, found ${found}`);
      }
      return element(operand, key, at);
    case 'dyn':
    case 'json':
      return element(operand, key, at);
    default:
      throw new Mistake(at, `${typeText(type)} cannot be indexed`);
  }
}

export function entry(type: LookupType, key: Term, at: number): Term {
  if (!mayEqual(key.type, types.string)) {
    throw new Mistake(key.at, `the keys of ${type.name} are string, found ${typeText(key.type)}`);
  }
  if (typeof key.constant === 'string') requireLowerCase(type, key.constant, key.at);
  return { type: types.string, at, fallible: true, evaluate: reading(type, key, at) };
}

export function requireLowerCase({ name, lowerCase }: LookupType, key: string, at: number): void {
  const lower = key.toLowerCase();
  if (lowerCase && key !== lower) {
    throw new Mistake(at, `the keys of ${name} are in lower case: write "${lower}"`);
  }
}

function reading({ name, read }: LookupType, key: Term, at: number): Evaluate {
  const { constant, evaluate } = key;
  const missing = new Fault(`${name} has no ${keyText(key)}`, at);
  if (typeof constant === 'string') return (frame) => read(frame, constant) ?? missing;
  return (frame) => {
    const value = evaluate(frame);
    if (value instanceof Fault) return value;
    return (typeof value === 'string' ? read(frame, value) : undefined) ?? missing;
  };
}

/** Values of keys may be secrets: only what the expression says itself is repeated. */
function keyText({ constant }: Term): string {
  return typeof constant === 'string' ? JSON.stringify(constant) : 'such key';
}

export function element(operand: Term, key: Term, at: number): Term {
  const missing = new Fault(`no ${keyText(key)} in it`, at);
  const [first, second] = [operand.evaluate, key.evaluate];
  return {
    type: elementType(operand.type),
    at,
    fallible: true,
    evaluate: (frame) => {
      const whole = first(frame);
      if (whole instanceof Fault) return whole;
      const wanted = second(frame);
      if (wanted instanceof Fault) return wanted;
      const found = elementOf(whole, wanted);
      return found === undefined ? missing : found;
    },
  };
}

function elementOf(whole: Value, key: Value): Value | undefined {
  if (isList(whole)) return whole[position(key)];
  return isMap(whole) ? lookUp(whole, key) : undefined;
}

function elementType(type: Type): Type {
  if (type.kind === 'list') return type.element;
  if (type.kind === 'map') return type.value;
  return type.kind === 'json' ? types.json : types.dyn;
}

/** -1, which no list has, for what is no index. */
function position(index: Value): number {
  if (typeof index === 'number') return Number.isInteger(index) ? index : -1;
  if (typeof index === 'bigint') return Number(index);
  return index instanceof Uint ? Number(index.value) : -1;
}
