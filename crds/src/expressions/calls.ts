import { alternatives, didYouMean } from '../validation/nearest.ts';
import { parseCidr } from './address.ts';
import { arithmetic } from './arithmetic.ts';
import { conversions } from './conversions.ts';
import type { Term } from './frame.ts';
import { globals, methods } from './functions.ts';
import { constantTerm } from './literals.ts';
import { conditional, connected, negated } from './logic.ts';
import { call, type Overload } from './overload.ts';
import { matches } from './patterns.ts';
import { Mistake } from './place.ts';
import { comparison, equality, type Sign } from './relations.ts';
import { types, typeText } from './type.ts';
import { Fault } from './value.ts';

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
  if (kinds.includes('string')) return `${complaint}; write string(...) around what is no string`;
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

const functions = new Map([...globals, ...conversions]);
const macroForms: ReadonlyMap<string, string> = new Map([
  ['has', 'has(claims.tenant)'],
  ['all', 'list.all(x, condition)'],
  ['exists', 'list.exists(x, condition)'],
  ['exists_one', 'list.exists_one(x, condition)'],
  ['map', 'list.map(x, value)'],
  ['filter', 'list.filter(x, condition)'],
]);

export function callFunction(
  name: string,
  target: Term | undefined,
  args: readonly Term[],
  at: number,
): Term {
  if (name === 'matches') return callMatches(target, args, at);
  const overloads = (target === undefined ? functions : methods).get(name);
  if (overloads === undefined) throw new Mistake(at, unknownFunction(name, target));
  const all = target === undefined ? args : [target, ...args];
  if (name === 'cidr' && typeof args[0]?.constant === 'string')
    return cidrLiteral(args[0].constant, args[0].at);
  return call(overloads, all, at, () => {
    const forms = overloads.map(({ params }) => form(name, target !== undefined, params));
    const found = form(
      name,
      target !== undefined,
      all.map(({ type }) => typeText(type)),
    );
    return `${found} does not exist; there is ${alternatives(forms)}`;
  });
}

/** A range that is known is read once, and mistakes in it are found now. */
function cidrLiteral(text: string, at: number): Term {
  const range = parseCidr(text);
  if (range instanceof Fault) throw new Mistake(at, range.reason);
  return constantTerm(types.cidr, range, at);
}

function form(name: string, isMethod: boolean, params: readonly string[]): string {
  const [first, ...rest] = params;
  return isMethod ? `${first}.${name}(${rest.join(', ')})` : `${name}(${params.join(', ')})`;
}

function callMatches(target: Term | undefined, args: readonly Term[], at: number): Term {
  const [text, pattern, ...more] = target === undefined ? args : [target, ...args];
  if (text === undefined || pattern === undefined || more.length > 0) {
    throw new Mistake(at, 'write text.matches("pattern")');
  }
  return matches(text, pattern, at);
}

function unknownFunction(name: string, target: Term | undefined): string {
  const written = macroForms.get(name);
  if (written !== undefined) return `write ${written}`;
  if (target === undefined && methods.has(name)) return `write x.${name}(...)`;
  if (target !== undefined && functions.has(name)) return `write ${name}(x)`;
  const known = target === undefined ? functions : methods;
  const names = [...known.keys(), 'matches', ...macroForms.keys()];
  return `unknown function "${name}"${didYouMean(name, names)}`;
}
