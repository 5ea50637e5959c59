import { alternatives, didYouMean } from '../validation/nearest.ts';
import type { Evaluate, Term } from './frame.ts';
import { lookUp } from './maps.ts';
import { Mistake } from './place.ts';
import { isNumber, mayEqual, type Type, types, typeText } from './type.ts';
import { Fault, isList, isMap, Uint, type Value } from './value.ts';

type ObjectType = Extract<Type, { kind: 'object' }>;
type LookupType = Extract<Type, { kind: 'lookup' }>;

/** operand.field of anything but an object. */
export function select(operand: Term, field: string, at: number): Term {
  const { type } = operand;
  if (type.kind === 'lookup') return entry(type, literal(field, at), at);
  const key = literal(field, at);
  if (type.kind === 'map' || type.kind === 'dyn' || type.kind === 'json')
    return element(operand, key, at);
  throw new Mistake(at, `${typeText(type)} has no fields`);
}

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

function isAny({ kind }: Type): boolean {
  return kind === 'dyn' || kind === 'json';
}

function literal(field: string, at: number): Term {
  return { type: types.string, at, evaluate: () => field, fallible: false, constant: field };
}

/** has(operand.field) */
export function presence(operand: Term, field: string, at: number): Term {
  const { type, evaluate } = operand;
  if (type.kind === 'lookup') {
    requireLowerCase(type, field, at);
    const { read } = type;
    return {
      type: types.bool,
      at,
      fallible: false,
      evaluate: (frame) => read(frame, field) !== undefined,
    };
  }
  if (type.kind !== 'map' && !isAny(type)) throw new Mistake(at, `${typeText(type)} has no fields`);
  const noFields = new Fault(`has(.${field}): not a map`, at);
  return {
    type: types.bool,
    at,
    fallible: operand.fallible || type.kind !== 'map',
    evaluate: (frame) => {
      const value = evaluate(frame);
      if (value instanceof Fault) return value;
      return isMap(value) ? lookUp(value, field) !== undefined : noFields;
    },
  };
}

/** Fields of an object are known, and always there. */
export function fieldOf({ name, fields }: ObjectType, field: string, test: boolean, at: number) {
  const found = fields.get(field);
  if (found === undefined) {
    const known = [...fields.keys()];
    const hint = didYouMean(field, known) || `; known here: ${alternatives(known)}`;
    throw new Mistake(at, `unknown field "${field}" of ${name}${hint}`);
  }
  if (test) throw new Mistake(at, `${name}.${field} is always there; compare it instead`);
  return found;
}

function requireLowerCase({ name, lowerCase }: LookupType, key: string, at: number): void {
  const lower = key.toLowerCase();
  if (lowerCase && key !== lower) {
    throw new Mistake(at, `the keys of ${name} are in lower case: write "${lower}"`);
  }
}

function entry(type: LookupType, key: Term, at: number): Term {
  if (!mayEqual(key.type, types.string)) {
    throw new Mistake(key.at, `the keys of ${type.name} are string, found ${typeText(key.type)}`);
  }
  if (typeof key.constant === 'string') requireLowerCase(type, key.constant, key.at);
  return { type: types.string, at, fallible: true, evaluate: reading(type, key, at) };
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

function element(operand: Term, key: Term, at: number): Term {
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
