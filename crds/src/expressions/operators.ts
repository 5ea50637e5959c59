import { arithmetic } from './arithmetic.ts';
import type { Term } from './frame.ts';
import { conditional, connected, negated } from './logic.ts';
import { call, type Overload } from './overload.ts';
import { Mistake } from './place.ts';
import { comparison, equality, type Sign } from './relations.ts';
import { typeText } from './type.ts';

type Operator = (args: readonly Term[], at: number) => Term;

function binary(make: (left: Term, right: Term, at: number) => Term): Operator {
  return ([left, right], at) => {
    if (left === undefined || right === undefined) throw new Mistake(at, 'incomplete expression');
    return make(left, right, at);
  };
}

function calculation(name: string, overloads: readonly Overload[]): Operator {
  return (args, at) => call(overloads, args, at, () => unsuited(name.replaceAll('_', ''), args));
}

function unsuited(sign: string, args: readonly Term[]): string {
  const kinds = args.map(({ type }) => type.kind);
  const found = args.map(({ type }) => typeText(type)).join(' and ');
  const complaint = `"${sign}" does not take ${found}`;
  if (kinds.includes('json') && kinds.includes('int')) {
    return `${complaint}; numbers in claims are double: write 1.0 instead of 1`;
  }
  if (sign === '+' && kinds.includes('string') && !kinds.includes('list')) {
    return `${complaint}; write string(...) around what is no string`;
  }
  return kinds.includes('int') ? `${complaint}; convert with double(...) or int(...)` : complaint;
}

const signs: readonly Sign[] = ['<', '<=', '>', '>='];

/** By the name that the parser gives them. Index and in are not among them: check.ts. */
export const operators: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['_&&_', binary((left, right, at) => connected(left, right, false, at))],
  ['_||_', binary((left, right, at) => connected(left, right, true, at))],
  ['_==_', binary((left, right, at) => equality(left, right, true, at))],
  ['_!=_', binary((left, right, at) => equality(left, right, false, at))],
  ...signs.map(
    (sign) =>
      [`_${sign}_`, binary((left, right, at) => comparison(left, right, sign, at))] as const,
  ),
  ...[...arithmetic].map(([name, overloads]) => [name, calculation(name, overloads)] as const),
  [
    '!_',
    ([operand], at) => {
      if (operand === undefined) throw new Mistake(at, 'incomplete expression');
      return negated(operand, at);
    },
  ],
  [
    '_?_:_',
    ([test, yes, no], at) => {
      if (!test || !yes || !no) throw new Mistake(at, 'incomplete expression');
      return conditional(test, yes, no, at);
    },
  ],
]);
