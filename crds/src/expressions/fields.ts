import { alternatives, didYouMean } from '../validation/nearest.ts';
import { element, entry, requireLowerCase } from './elements.ts';
import type { Term } from './frame.ts';
import { constantTerm } from './literals.ts';
import { lookUp } from './maps.ts';
import { Mistake } from './place.ts';
import { type Field, isAny, type ObjectType, types, typeText } from './type.ts';
import { Fault, isMap } from './value.ts';

/** operand.field of anything but an object. */
export function select(operand: Term, field: string, at: number): Term {
  const { type } = operand;
  const key = constantTerm(types.string, field, at);
  if (type.kind === 'lookup') return entry(type, key, at);
  if (type.kind === 'map' || isAny(type)) return element(operand, key, at);
  throw new Mistake(at, `${typeText(type)} has no fields`);
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
export function fieldOf(
  { name, fields }: ObjectType,
  field: string,
  test: boolean,
  at: number,
): Field {
  const found = fields.get(field);
  if (found === undefined) {
    const known = [...fields.keys()];
    const hint = didYouMean(field, known) || `; known here: ${alternatives(known)}`;
    throw new Mistake(at, `unknown field "${field}" of ${name}${hint}`);
  }
  if (test) throw new Mistake(at, `${name}.${field} is always there; compare it instead`);
  return found;
}
