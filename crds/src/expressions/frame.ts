import { expressionLimits } from './limits.ts';
import type { ReadQuery } from './query.ts';
import type { ExpressionSource } from './source.ts';
import type { Type } from './type.ts';
import { Fault, type Result, type Value } from './value.ts';

/** One evaluation: what it reads, what it has cost so far, and the variables of its loops. */
export type Frame = {
  source: ExpressionSource;
  /** Of `expressionLimits.steps`. */
  steps: number;
  readonly variables: Value[];
  parameters?: ReadQuery;
};

export type Evaluate = (frame: Frame) => Result;

/** A checked piece of an expression. */
export type Term = {
  readonly type: Type;
  /** Offset in the text. */
  readonly at: number;
  readonly evaluate: Evaluate;
  /** Whether it can evaluate to a Fault. */
  readonly fallible: boolean;
  /** Its value, when that is known now. */
  readonly constant?: Value;
};

export const exhausted = new Fault('it takes too long');

/** Counts work that depends on the size of values. @returns whether evaluation has to stop. */
export function spend(frame: Frame, steps: number): boolean {
  frame.steps += steps;
  return frame.steps > expressionLimits.steps;
}
