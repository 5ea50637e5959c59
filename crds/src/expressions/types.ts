/** What an expression yields; `header`: a string, a number or a list of strings. */
export type ExpressionType = 'bool' | 'string' | 'header' | 'number';

/** Which variables it may use: `request` and `client`, or also `identity` and `claims`. */
export type ExpressionScope = 'request' | 'identity';

/** What is wrong with an expression, and where (from 1). */
export type ExpressionProblem = { line: number; column: number; message: string };

/** The evaluation failed, e.g. for a claim that is not there. */
export class ExpressionError extends Error {}

export type CompiledExpression = {
  /** @throws ExpressionError; callers decide what that means. */
  evaluate(source: ExpressionSource): boolean | string | number | string[];
  /** True when the value depends on identity and claims only. */
  readonly identityOnly: boolean;
};

/** What a request is for expressions. Read lazily, only what the expression names. */
export type ExpressionSource = {
  readonly method: string;
  readonly path: string;
  /** Raw, without "?". */
  readonly query: string;
  readonly host: string;
  readonly scheme: 'http' | 'https';
  readonly requestId: string;
  readonly clientAddress: string;
  readonly route: string;
  readonly rule: string;
  /** Of Content-Length; 0 without a body, -1 when it is not known. */
  readonly bodySize: number;
  readonly identity:
    | {
        readonly method: string;
        readonly id: string;
        readonly roles: readonly string[];
        readonly scopes: readonly string[];
        readonly consumer: string;
        readonly plan: string;
        readonly claims: Readonly<Record<string, unknown>>;
      }
    | undefined;
  header(name: string): string | undefined;
};
