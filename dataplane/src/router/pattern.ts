import { RE2JS, RE2JSException } from 're2js';

export type Pattern = RE2JS;

/**
 * Compiles a regular expression of RE2, which matches in time linear in its input.
 * @returns what is wrong with it, as a string, when RE2 refuses it.
 */
export function compilePattern(source: string): Pattern | string {
  try {
    return RE2JS.compile(source);
  } catch (error) {
    if (error instanceof RE2JSException) {
      return `${error.message}; only RE2 syntax is accepted`;
    }
    throw error;
  }
}
