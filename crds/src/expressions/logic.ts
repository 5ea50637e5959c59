import type { Evaluate, Term } from './frame.ts';
import { Mistake } from './place.ts';
import { join, mayBe, types, typeText } from './type.ts';
import { Fault, type Result } from './value.ts';

const { bool } = types;

/** CEL's && and ||: when one side decides, what is wrong with the other does not matter. */
export function connected(left: Term, right: Term, decides: boolean, at: number): Term {
  const sign = decides ? '||' : '&&';
  requireBool(left, `"${sign}"`);
  requireBool(right, `"${sign}"`);
  const mismatch = notBool(at);
  return { type: bool, at, fallible: !(sureBool(left) && sureBool(right)), evaluate: either() };

  function either(): Evaluate {
    const first = left.evaluate;
    const second = right.evaluate;
    if (sureBool(left))
      return (frame) => (first(frame) === decides ? decides : asBool(second(frame)));
    return (frame) => {
      const a = first(frame);
      if (a === decides) return decides;
      const b = second(frame);
      if (b === decides || a === !decides) return asBool(b);
      return asBool(a);
    };
  }

  function asBool(result: Result): Result {
    return typeof result === 'boolean' || result instanceof Fault ? result : mismatch;
  }
}

export function negated(operand: Term, at: number): Term {
  requireBool(operand, '"!"');
  const mismatch = notBool(at);
  const { evaluate } = operand;
  return {
    type: bool,
    at,
    fallible: !sureBool(operand),
    evaluate: (frame) => {
      const value = evaluate(frame);
      if (typeof value === 'boolean') return !value;
      return value instanceof Fault ? value : mismatch;
    },
  };
}

export function conditional(test: Term, yes: Term, no: Term, at: number): Term {
  requireBool(test, '"?:"');
  const mismatch = notBool(at);
  const type = join(yes.type, no.type);
  if (type === undefined) {
    const both = `${typeText(yes.type)} and ${typeText(no.type)}`;
    throw new Mistake(no.at, `both results of "?:" must be of one type, found ${both}`);
  }
  return {
    type,
    at,
    fallible: !sureBool(test) || yes.fallible || no.fallible,
    evaluate: (frame) => {
      const value = test.evaluate(frame);
      if (value === true) return yes.evaluate(frame);
      if (value === false) return no.evaluate(frame);
      return value instanceof Fault ? value : mismatch;
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
