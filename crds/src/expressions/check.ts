import { alternatives, didYouMean } from '../validation/nearest.ts';
import { callFunction } from './calls.ts';
import { index } from './elements.ts';
import { fieldOf, presence, select } from './fields.ts';
import type { Term } from './frame.ts';
import { expressionLimits } from './limits.ts';
import { constantTerm, listLiteral, mapLiteral } from './literals.ts';
import { itemType, loop } from './macros.ts';
import type { Names } from './names.ts';
import type { Node } from './node.ts';
import { operators } from './operators.ts';
import { Mistake } from './place.ts';
import { membership } from './relations.ts';
import type { Field, Type } from './type.ts';

/** The variables of loops, innermost first. */
type Locals = {
  readonly name: string;
  readonly type: Type;
  readonly slot: number;
  readonly outer: Locals | undefined;
};

export type Scope = {
  readonly names: Names;
  readonly locals: Locals | undefined;
  /** What names stand for that are known elsewhere only: the reason, by name. */
  readonly withheld: ReadonlyMap<string, string>;
  /** Told of each field that is used. */
  note(field: Field): void;
};

type Of<K extends Node['kind']> = Extract<Node, { kind: K }>;

/**
 * Finds types and meanings, and compiles on the way: what comes out is closures.
 * @throws Mistake when something does not fit.
 */
export function check(node: Node, scope: Scope): Term {
  const term = checkAny(node, scope);
  const { type } = term;
  if (type.kind === 'object') {
    const fields = alternatives([...type.fields.keys()]);
    throw new Mistake(term.at, `${type.name} is no value; write one of its fields: ${fields}`);
  }
  if (type.kind === 'lookup') {
    throw new Mistake(term.at, `${type.name} is no value; ask for one entry: ${type.name}["name"]`);
  }
  return term;
}

/** Objects and lookups as well. */
function checkAny(node: Node, scope: Scope): Term {
  const { at } = node;
  switch (node.kind) {
    case 'literal':
      return constantTerm(node.type, node.value, at);
    case 'name':
      return checkName(node, scope);
    case 'select':
      return checkSelect(node, scope);
    case 'list':
      return listLiteral(
        node.items.map((item) => check(item, scope)),
        at,
      );
    case 'map':
      return mapLiteral(
        node.entries.map(([key, value]) => [check(key, scope), check(value, scope)] as const),
        at,
      );
    case 'macro':
      return checkMacro(node, scope);
    case 'call':
      return checkCall(node, scope);
  }
}

function checkName({ name, at }: Of<'name'>, scope: Scope): Term {
  for (let local = scope.locals; local !== undefined; local = local.outer) {
    if (local.name === name) return variable(local, at);
  }
  const field = scope.names.get(name);
  if (field !== undefined) return fieldTerm(field, scope, at);
  const withheld = scope.withheld.get(name);
  if (withheld !== undefined) throw new Mistake(at, `${name} ${withheld}`);
  const known = [...scope.names.keys()];
  const hint = didYouMean(name, known) || `; known here: ${alternatives(known)}`;
  throw new Mistake(at, `unknown name "${name}"${hint}`);
}

function variable({ type, slot }: Locals, at: number): Term {
  return { type, at, fallible: false, evaluate: ({ variables }) => variables[slot] ?? null };
}

function fieldTerm(field: Field, scope: Scope, at: number): Term {
  scope.note(field);
  return { type: field.type, at, fallible: false, evaluate: field.evaluate };
}

function checkSelect({ operand, field, test, at }: Of<'select'>, scope: Scope): Term {
  const whole = checkAny(operand, scope);
  if (whole.type.kind === 'object') {
    return fieldTerm(fieldOf(whole.type, field, test, at), scope, at);
  }
  return test ? presence(whole, field, at) : select(whole, field, at);
}

function checkMacro(node: Of<'macro'>, scope: Scope): Term {
  const { macro, variable, at } = node;
  const range = check(node.range, scope);
  const slot = scope.locals === undefined ? 0 : scope.locals.slot + 1;
  if (slot >= expressionLimits.nestedLoops) {
    throw new Mistake(
      at,
      `${macro} inside of ${expressionLimits.nestedLoops} others would take too long`,
    );
  }
  const local = { name: variable, type: itemType(range, macro, at), slot, outer: scope.locals };
  const inside = { ...scope, locals: local };
  const test = node.test && check(node.test, inside);
  const step = node.step && check(node.step, inside);
  const cost = (node.test?.size ?? 0) + (node.step?.size ?? 0);
  return loop({ macro, range, slot, test, step, cost, at });
}

function checkCall({ name, target, args, at }: Of<'call'>, scope: Scope): Term {
  const [first, second] = args;
  if (name === '_[_]' && first && second) return checkIndex(first, second, at, scope);
  // "in" looks into what is no value.
  if (name === '@in' && first && second) {
    return membership(check(first, scope), checkAny(second, scope), at);
  }
  const terms = args.map((arg) => check(arg, scope));
  const operator = operators.get(name);
  if (operator !== undefined) return operator(terms, at);
  return callFunction(name, target && check(target, scope), terms, at);
}

function checkIndex(operand: Node, key: Node, at: number, scope: Scope): Term {
  const whole = checkAny(operand, scope);
  const term = check(key, scope);
  if (whole.type.kind !== 'object') return index(whole, term, at);
  if (typeof term.constant !== 'string') {
    throw new Mistake(term.at, `write ${whole.type.name}.field`);
  }
  return fieldTerm(fieldOf(whole.type, term.constant, false, term.at), scope, at);
}
