import { RE2JS, RE2JSException } from 're2js';
import { exhausted, type Frame, spend, type Term } from './frame.ts';
import { expressionLimits } from './limits.ts';
import { Mistake } from './place.ts';
import { types, typeText } from './type.ts';
import { Fault } from './value.ts';

/**
 * text.matches(pattern): RE2, whose time is at worst the size of the pattern times the length of the
 * text, which is what it costs here. Matches anywhere in the text, as CEL says.
 */
export function matches(text: Term, pattern: Term, at: number): Term {
  if (typeof pattern.constant !== 'string') {
    throw new Mistake(pattern.at, 'the pattern of matches must be a literal string');
  }
  if (!['string', 'dyn', 'json'].includes(text.type.kind)) {
    throw new Mistake(at, `matches needs a string, found ${typeText(text.type)}`);
  }
  const expression = compiled(pattern.constant, pattern.at);
  const size = expression.programSize();
  const mismatch = new Fault('matches needs a string', at);
  const tooLong = new Fault(`${exhausted.reason}: the text is too long for matches`, at);
  return {
    type: types.bool,
    at,
    fallible: true,
    evaluate: (frame: Frame) => {
      const value = text.evaluate(frame);
      if (value instanceof Fault) return value;
      if (typeof value !== 'string') return mismatch;
      return spend(frame, value.length * size) ? tooLong : expression.test(value);
    },
  };
}

function compiled(pattern: string, at: number): RE2JS {
  let expression: RE2JS;
  try {
    expression = RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    const reason = error.message.replace(/^error parsing regexp: /, '');
    throw new Mistake(at, `${reason}; only RE2 syntax is accepted`);
  }
  const size = expression.programSize();
  if (size <= expressionLimits.patternSize) return expression;
  const most = expressionLimits.patternSize;
  throw new Mistake(at, `the regular expression takes ${size} instructions, at most ${most}`);
}
