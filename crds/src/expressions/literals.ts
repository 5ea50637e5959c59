import type { Evaluate, Term } from './frame.ts';
import { mapKey } from './maps.ts';
import { Mistake } from './place.ts';
import { joinAll, list, map, type Type, typeText } from './type.ts';
import { Fault, type MapKey, type Value } from './value.ts';

export function constantTerm(type: Type, value: Value, at: number): Term {
  return { type, at, evaluate: () => value, fallible: false, constant: value };
}

/** A list of constants is made once. */
export function listLiteral(items: readonly Term[], at: number): Term {
  const type = list(joinAll(items.map(({ type }) => type)));
  const constants = items.flatMap(({ constant }) => (constant === undefined ? [] : [constant]));
  if (constants.length === items.length) return constantTerm(type, constants, at);
  return {
    type,
    at,
    fallible: items.some(({ fallible }) => fallible),
    evaluate: (frame) => {
      const values: Value[] = [];
      for (const { evaluate } of items) {
        const value = evaluate(frame);
        if (value instanceof Fault) return value;
        values.push(value);
      }
      return values;
    },
  };
}

const keyKinds = ['string', 'int', 'uint', 'bool', 'dyn', 'json'];

export function mapLiteral(entries: readonly (readonly [Term, Term])[], at: number): Term {
  for (const [{ type, at }] of entries) {
    if (!keyKinds.includes(type.kind)) {
      throw new Mistake(at, `a key is a string, int, uint or bool, found ${typeText(type)}`);
    }
  }
  const keys = joinAll(entries.map(([{ type }]) => type));
  const type = map(keys, joinAll(entries.map(([, { type }]) => type)));
  return { type, at, fallible: true, evaluate: making(entries, at) };
}

function making(entries: readonly (readonly [Term, Term])[], at: number): Evaluate {
  const twice = new Fault('a key occurs twice', at);
  return (frame) => {
    const made = new Map<MapKey, { key: Value; value: Value }>();
    for (const [first, second] of entries) {
      const key = first.evaluate(frame);
      if (key instanceof Fault) return key;
      const value = second.evaluate(frame);
      if (value instanceof Fault) return value;
      const found = mapKey(key);
      if (found instanceof Fault) return new Fault(found.reason, first.at);
      if (made.has(found)) return twice;
      made.set(found, { key, value });
    }
    return made;
  };
}
