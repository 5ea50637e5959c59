import type { Evaluate, Frame, Term } from './frame.ts';
import { Mistake } from './place.ts';
import { mayBe, type Type, types, typeText } from './type.ts';
import { Fault, kindOf, type Result, type Value, type ValueKind, type ValueOf } from './value.ts';

/** One meaning of a function or operator: for these kinds of arguments, a target first. */
export type Overload = {
  readonly params: readonly ValueKind[];
  readonly result: Type | ((args: readonly Type[]) => Type);
  /** Whether it can fail for arguments of the right kinds. */
  readonly fallible: boolean;
  call(frame: Frame, ...args: readonly Value[]): Result;
};

export function overload<const P extends readonly ValueKind[]>(
  params: P,
  result: Overload['result'],
  call: (frame: Frame, ...args: { -readonly [I in keyof P]: ValueOf[P[I]] }) => Result,
  fallible = true,
): Overload {
  // Called only when the arguments are of those kinds.
  return { params, result, fallible, call: call as Overload['call'] };
}

/** The same, for what never fails. */
export function sure<const P extends readonly ValueKind[]>(
  params: P,
  result: Overload['result'],
  call: (frame: Frame, ...args: { -readonly [I in keyof P]: ValueOf[P[I]] }) => Value,
): Overload {
  return overload(params, result, call, false);
}

/**
 * Chooses by the types of the arguments; by their values, at run time, where types leave a choice.
 * @param complaint says what is wrong when nothing fits.
 */
export function call(
  overloads: readonly Overload[],
  args: readonly Term[],
  at: number,
  complaint: () => string,
): Term {
  const fitting = overloads.filter(
    ({ params }) =>
      params.length === args.length &&
      args.every(({ type }, index) => mayBe(type, params[index] ?? 'dyn')),
  );
  const [only] = fitting;
  if (only === undefined) throw new Mistake(at, complaint());
  const certain =
    fitting.length === 1 && args.every(({ type }, i) => isCertain(type, only.params[i]));
  return {
    type: resultType(fitting, args),
    at,
    fallible: !certain || only.fallible || args.some(({ fallible }) => fallible),
    evaluate: certain ? direct(only, args, at) : chosen(fitting, args, at),
  };
}

function isCertain(type: Type, param: ValueKind | undefined): boolean {
  return param === 'dyn' || type.kind === param;
}

function resultType(fitting: readonly Overload[], args: readonly Term[]): Type {
  const results = fitting.map(({ result }) =>
    typeof result === 'function' ? result(args.map(({ type }) => type)) : result,
  );
  const [first = types.dyn] = results;
  return results.every((type) => typeText(type) === typeText(first)) ? first : types.dyn;
}

/** Of the calls that are compiled this way nearly all have one or two arguments. */
function direct(overload: Overload, args: readonly Term[], at: number): Evaluate {
  const [first, second] = args.map(({ evaluate }) => evaluate);
  if (first !== undefined && second === undefined) {
    return (frame) => {
      const a = first(frame);
      return a instanceof Fault ? a : placed(overload.call(frame, a), at);
    };
  }
  if (first !== undefined && second !== undefined && args.length === 2) {
    return (frame) => {
      const a = first(frame);
      if (a instanceof Fault) return a;
      const b = second(frame);
      return b instanceof Fault ? b : placed(overload.call(frame, a, b), at);
    };
  }
  return chosen([overload], args, at);
}

function chosen(overloads: readonly Overload[], args: readonly Term[], at: number): Evaluate {
  const mismatch = new Fault('a value is not of the type that is needed here', at);
  return (frame) => {
    const values: Value[] = [];
    for (const { evaluate } of args) {
      const value = evaluate(frame);
      if (value instanceof Fault) return value;
      values.push(value);
    }
    for (const overload of overloads) {
      if (takes(overload, values)) return placed(overload.call(frame, ...values), at);
    }
    return mismatch;
  };
}

function takes({ params }: Overload, values: readonly Value[]): boolean {
  return values.every((value, index) => {
    const param = params[index];
    return param === 'dyn' || param === kindOf(value);
  });
}

/** A fault of a function does not know where it was called. */
export function placed(result: Result, at: number): Result {
  return result instanceof Fault && result.at < 0 ? new Fault(result.reason, at) : result;
}
