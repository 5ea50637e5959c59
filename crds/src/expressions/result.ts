import type { Term } from './frame.ts';
import { Mistake } from './place.ts';
import type { ExpressionType } from './source.ts';
import { isNumber, mayBe, type Type, typeText } from './type.ts';
import { Fault, isList, type Result, Uint, type Value } from './value.ts';

export type ExpressionResult = boolean | string | number | string[];

const words: Readonly<Record<ExpressionType, string>> = {
  bool: 'a bool',
  string: 'a string',
  number: 'a number',
  header: 'a string, a number or a list of strings',
};

const notWanted: Readonly<Record<ExpressionType, Fault>> = {
  bool: new Fault(`the result is not ${words.bool}`),
  string: new Fault(`the result is not ${words.string}`),
  number: new Fault(`the result is not ${words.number}`),
  header: new Fault(`the result is not ${words.header}`),
};

/** @throws Mistake when the type can never be what is wanted. */
export function requireType({ type }: Term, wanted: ExpressionType, at: number): void {
  if (canBe(type, wanted)) return;
  const hint = type.kind === 'bool' && wanted !== 'number' ? '; write string(...) around it' : '';
  throw new Mistake(at, `expected ${words[wanted]}, found ${typeText(type)}${hint}`);
}

function canBe(type: Type, wanted: ExpressionType): boolean {
  switch (wanted) {
    case 'bool':
    case 'string':
      return mayBe(type, wanted);
    case 'number':
      return isNumber(type) || mayBe(type, 'double');
    case 'header':
      if (type.kind === 'list') return mayBe(type.element, 'string');
      return isNumber(type) || mayBe(type, 'string');
  }
}

/** Brings a value to what callers get; a Fault when it turns out to be something else. */
export function converted(result: Result, wanted: ExpressionType): ExpressionResult | Fault {
  if (result instanceof Fault) return result;
  switch (wanted) {
    case 'bool':
    case 'string': {
      if (typeof result === 'string' && wanted === 'string') return result;
      if (typeof result === 'boolean' && wanted === 'bool') return result;
      break;
    }
    case 'number': {
      const number = numberOf(result);
      if (number !== undefined && Number.isFinite(number)) return number;
      break;
    }
    case 'header': {
      const value = headerValue(result);
      if (value !== undefined) return value;
    }
  }
  return notWanted[wanted];
}

function numberOf(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  return value instanceof Uint ? Number(value.value) : undefined;
}

function headerValue(value: Value): string | number | string[] | undefined {
  if (typeof value === 'string') return value;
  if (isList(value)) {
    const texts = value.filter((item) => typeof item === 'string');
    return texts.length === value.length ? texts : undefined;
  }
  const number = numberOf(value);
  if (number === undefined || !Number.isFinite(number)) return undefined;
  if (typeof value === 'number' || Number.isSafeInteger(number)) return number;
  // An int of 64 bits that a number would round.
  return String(value instanceof Uint ? value.value : value);
}
