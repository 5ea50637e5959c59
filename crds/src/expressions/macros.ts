import { type Evaluate, exhausted, type Frame, spend, type Term } from './frame.ts';
import { requireBool } from './logic.ts';
import { mapKeys } from './maps.ts';
import type { MacroName } from './node.ts';
import { Mistake } from './place.ts';
import { list, type Type, types, typeText } from './type.ts';
import { Fault, isList, isMap, type Result, type Value } from './value.ts';

/** A loop over the items of a list or the keys of a map. */
export type Loop = {
  readonly macro: MacroName;
  readonly range: Term;
  /** Which variable of the frame holds the item. */
  readonly slot: number;
  readonly test: Term | undefined;
  readonly step: Term | undefined;
  /** Steps of one round. */
  readonly cost: number;
  readonly at: number;
};

/** The type of the variable. */
export function itemType({ type }: Term, macro: MacroName, at: number): Type {
  switch (type.kind) {
    case 'list':
      return type.element;
    case 'map':
      return type.key;
    case 'dyn':
    case 'json':
      return type;
    default:
      throw new Mistake(at, `${macro} needs a list or map, found ${typeText(type)}`);
  }
}

export function loop(parts: Loop): Term {
  const { macro, range, test, step, at } = parts;
  if (test !== undefined) requireBool(test, macro);
  const item = itemType(range, macro, at);
  return { type: resultType(), at, fallible: true, evaluate: rounds(parts) };

  function resultType(): Type {
    if (macro === 'map') return list(step?.type ?? types.dyn);
    return macro === 'filter' ? list(item) : types.bool;
  }
}

/** What a round says: go on, or this is the result. */
type Round = (frame: Frame, item: Value) => Result | undefined;

function rounds(parts: Loop): Evaluate {
  const { range, slot, cost, at } = parts;
  const begin = beginning(parts);
  const notIterable = new Fault('a value to iterate over is no list or map', at);
  const stopped = new Fault(exhausted.reason, at);
  return (frame) => {
    const whole = range.evaluate(frame);
    if (whole instanceof Fault) return whole;
    const items = isList(whole) ? whole : isMap(whole) ? mapKeys(whole) : undefined;
    if (items === undefined) return notIterable;
    if (spend(frame, items.length >> 4)) return stopped;
    const { round, end } = begin();
    for (const item of items) {
      if (spend(frame, cost)) return stopped;
      frame.variables[slot] = item;
      const result = round(frame, item);
      if (result !== undefined) return result;
    }
    return end();
  };
}

type Begun = { readonly round: Round; end(): Result };

function beginning({ macro, test, step, at }: Loop): () => Begun {
  const mismatch = new Fault(`${macro}: a value that should be a bool is not`, at);
  const tests: Evaluate = (frame) => {
    const result = test === undefined ? true : test.evaluate(frame);
    return typeof result === 'boolean' || result instanceof Fault ? result : mismatch;
  };
  const made = step?.evaluate;
  switch (macro) {
    case 'all':
      return () => quantified(tests, false);
    case 'exists':
      return () => quantified(tests, true);
    case 'exists_one':
      return () => counted(tests);
    default:
      return () => collected(tests, made);
  }
}

/** As && and || over the items: one item may decide, whatever is wrong with others. */
function quantified(tests: Evaluate, decides: boolean): Begun {
  let fault: Fault | undefined;
  return {
    round: (frame) => {
      const result = tests(frame);
      if (result instanceof Fault) fault ??= result;
      return result === decides ? decides : undefined;
    },
    end: () => fault ?? !decides,
  };
}

function counted(tests: Evaluate): Begun {
  let count = 0;
  return {
    round: (frame) => {
      const result = tests(frame);
      if (result === true) count++;
      return result instanceof Fault ? result : undefined;
    },
    end: () => count === 1,
  };
}

function collected(tests: Evaluate, made: Evaluate | undefined): Begun {
  const items: Value[] = [];
  return {
    round: (frame, item) => {
      const result = tests(frame);
      if (result instanceof Fault) return result;
      if (result === false) return undefined;
      const value = made === undefined ? item : made(frame);
      if (value instanceof Fault) return value;
      items.push(value);
      return undefined;
    },
    end: () => items,
  };
}
