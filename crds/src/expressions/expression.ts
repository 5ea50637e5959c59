import { check } from './check.ts';
import { exhausted, type Frame, type Term } from './frame.ts';
import { expressionLimits } from './limits.ts';
import { namesOf } from './names.ts';
import { parse } from './parse.ts';
import { Mistake, type Place, placeAt, skipBlank } from './place.ts';
import { converted, type ExpressionResult, requireType } from './result.ts';
import type { ExpressionScope, ExpressionSource, ExpressionType } from './source.ts';
import { Fault } from './value.ts';

export type { ExpressionResult } from './result.ts';

/** What is wrong with an expression, and where: line and column count from 1. */
export type ExpressionProblem = Place & { readonly message: string };

/** Evaluation failed: a key is missing, a value has the wrong type, or it would take too long. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
  readonly line: number;
  readonly column: number;

  constructor({ line, column }: Place, reason: string) {
    super(`Cannot evaluate the expression: line ${line}, column ${column}: ${reason}`);
    this.line = line;
    this.column = column;
  }
}

export type CompiledExpression = {
  /**
   * At most about a millisecond.
   * @throws ExpressionError when evaluation fails. It holds nothing of the request, and may be the same
   * object as the last time.
   */
  evaluate(source: ExpressionSource): ExpressionResult;
  /**
   * True when the value depends on identity and claims only: it can be kept as long as the identity.
   */
  readonly identityOnly: boolean;
};

/** @returns undefined when the text is a sound expression of that type. Never throws. */
export function checkExpression(
  text: string,
  type: ExpressionType,
  scope: ExpressionScope,
): ExpressionProblem | undefined {
  try {
    checked(text, type, scope);
    return undefined;
  } catch (error) {
    if (error instanceof Mistake) return problem(text, error);
    throw error;
  }
}

/** @throws Error when checkExpression would complain. */
export function compileExpression(
  text: string,
  type: ExpressionType,
  scope: ExpressionScope,
): CompiledExpression {
  try {
    return compiled(text, type, checked(text, type, scope));
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    const { line, column, message } = problem(text, error);
    throw new Error(`Cannot compile the expression: line ${line}, column ${column}: ${message}`);
  }
}

function problem(text: string, { offset, message }: Mistake): ExpressionProblem {
  return { ...placeAt(text, offset), message };
}

const withheld: Readonly<Record<ExpressionScope, ReadonlyMap<string, string>>> = {
  request: new Map(
    ['identity', 'claims'].map((name) => [name, 'is known only after authentication, not here']),
  ),
  identity: new Map(),
};

type Checked = { readonly term: Term; readonly identityOnly: boolean };

function checked(text: string, type: ExpressionType, scope: ExpressionScope): Checked {
  let identityOnly = true;
  const term = check(parse(text), {
    names: namesOf[scope],
    withheld: withheld[scope],
    locals: undefined,
    note: ({ ofRequest }) => {
      if (ofRequest) identityOnly = false;
    },
  });
  requireType(term, type, skipBlank(text, 0));
  return { term, identityOnly };
}

/** Between evaluations, so that no request is kept alive. */
const idle: ExpressionSource = {
  method: '',
  path: '',
  query: '',
  host: '',
  scheme: 'http',
  requestId: '',
  header: () => undefined,
  clientAddress: '',
  route: '',
  rule: '',
  bodySize: -1,
  identity: undefined,
};

function compiled(
  text: string,
  type: ExpressionType,
  { term, identityOnly }: Checked,
): CompiledExpression {
  const { evaluate } = term;
  const frame: Frame = { source: idle, steps: 0, variables: [] };

  // Most faults are the same object each time. An error takes 2 us to make, as it records the stack.
  const errors = new WeakMap<Fault, ExpressionError>();

  function failed(fault: Fault): ExpressionError {
    const known = errors.get(fault);
    if (known) return known;
    const { reason, at } = fault;
    const error = new ExpressionError(placeAt(text, at < 0 ? term.at : at), reason);
    errors.set(fault, error);
    return error;
  }

  return {
    identityOnly,
    evaluate: (source) => {
      frame.source = source;
      frame.steps = 0;
      const result = converted(evaluate(frame), type);
      frame.source = idle;
      // Whatever came out of it: && may have absorbed the fault.
      if (frame.steps > expressionLimits.steps) throw failed(exhausted);
      if (result instanceof Fault) throw failed(result);
      return result;
    },
  };
}
