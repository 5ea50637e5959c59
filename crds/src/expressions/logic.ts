import type { Evaluate, Term } from './frame.ts';
import { Mistake } from './place.ts';
import { join, mayBe, types, typeText } from './type.ts';
import { Fault } from './value.ts';

const { bool } = types;

/** CEL's && and ||: when one side decides, what is wrong with the other does not matter. */
export function connected(left: Term, right: Term, decides: boolean, at: number): Term {
  const sign = decides ? '"||"' : '"&&"';
  requireBool(left, sign);
  requireBool(right, sign);
  const first = left.evaluate;
  const second = tested(right);
  if (sureBool(left)) {
    const evaluate: Evaluate = (frame) => (first(frame) === decides ? decides : second(frame));
    return { type: bool, at, fallible: !sureBool(right), evaluate };
  }
  const other = tested(left);
  return {
    type: bool,
    at,
    fallible: true,
    evaluate: (frame) => {
      const a = other(frame);
      if (a === decides) return decides;
      const b = second(frame);
      return b === decides || a === !decides ? b : a;
    },
  };
}

/** A bool or a Fault. */
function tested(term: Term): Evaluate {
  const { evaluate, at } = term;
  if (sureBool(term)) return evaluate;
  const mismatch = notBool(at);
  return (frame) => {
    const value = evaluate(frame);
    return typeof value === 'boolean' || value instanceof Fault ? value : mismatch;
  };
}

export function negated(operand: Term, at: number): Term {
  requireBool(operand, '"!"');
  const evaluate = tested(operand);
  return {
    type: bool,
    at,
    fallible: !sureBool(operand),
    evaluate: (frame) => {
      const value = evaluate(frame);
      return value instanceof Fault ? value : !value;
    },
  };
}

export function conditional(test: Term, yes: Term, no: Term, at: number): Term {
  requireBool(test, '"?:"');
  const type = join(yes.type, no.type);
  if (type === undefined) {
    const both = `${typeText(yes.type)} and ${typeText(no.type)}`;
    throw new Mistake(no.at, `both results of "?:" must be of one type, found ${both}`);
  }
  const evaluate = tested(test);
  return {
    type,
    at,
    fallible: !sureBool(test) || yes.fallible || no.fallible,
    evaluate: (frame) => {
      const value = evaluate(frame);
      if (value instanceof Fault) return value;
      return value === true ? yes.evaluate(frame) : no.evaluate(frame);
    },
  };
}

function notBool(at: number): Fault {
  return new Fault('a value that should be a bool is not', at);
}

/** @param who is written in front of "needs a bool". */
export function requireBool({ type, at }: Term, who: string): void {
  if (!mayBe(type, 'bool')) throw new Mistake(at, `${who} needs a bool, found ${typeText(type)}`);
}

function sureBool({ type, fallible }: Term): boolean {
  return type.kind === 'bool' && !fallible;
}
