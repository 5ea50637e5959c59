import { alternatives, didYouMean } from '../validation/nearest.ts';
import { parseCidr } from './address.ts';
import { conversions } from './conversions.ts';
import type { Term } from './frame.ts';
import { globals, methods } from './functions.ts';
import { constantTerm } from './literals.ts';
import { call } from './overload.ts';
import { matches } from './patterns.ts';
import { Mistake } from './place.ts';
import { types, typeText } from './type.ts';
import { Fault } from './value.ts';

const functions = new Map([...globals, ...conversions]);
const leftOut = ['timestamp', 'duration', 'type'];
const macroForms: ReadonlyMap<string, string> = new Map([
  ['has', 'has(claims.tenant), or "tenant" in claims'],
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
  if (name === 'cidr' && args.length === 1 && typeof args[0]?.constant === 'string') {
    return cidrLiteral(args[0].constant, args[0].at);
  }
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
  if (target === undefined && leftOut.includes(name)) return `${name} is left out here`;
  if (target === undefined && methods.has(name)) return `write x.${name}(...)`;
  if (target !== undefined && functions.has(name)) return `write ${name}(x)`;
  const known = target === undefined ? functions : methods;
  const names = target === undefined ? [...known.keys()] : [...known.keys(), 'matches'];
  const similar = didYouMean(name, [...names, ...macroForms.keys()]);
  const hint = similar || `; known here: ${alternatives(names)}`;
  return `unknown function "${name}"${hint}`;
}
