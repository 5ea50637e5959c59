/** What the result of an expression must be. `header`: a string, a number or a list of strings. */
export type ExpressionType = 'bool' | 'string' | 'header' | 'number';

/**
 * Which variables an expression may use: `request` and `client`, or also `identity` and `claims`, which
 * are known only after authentication.
 */
export type ExpressionScope = 'request' | 'identity';

/** Who sent a request. */
export type ExpressionIdentity = {
  readonly id: string;
  /** Name of the authentication method; empty when anonymous. */
  readonly method: string;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly consumer: string;
  readonly plan: string;
  /** As JSON.parse gives them. */
  readonly claims: Readonly<Record<string, unknown>>;
};

/** What an expression reads. Only what it names is read, and only when evaluation comes to it. */
export type ExpressionSource = {
  readonly method: string;
  readonly path: string;
  /** Without "?", as it was sent. */
  readonly query: string;
  readonly host: string;
  readonly scheme: 'http' | 'https';
  readonly requestId: string;
  /** @param name in lower case, unless the expression computes another one. */
  header(name: string): string | undefined;
  readonly clientAddress: string;
  readonly route: string;
  readonly rule: string;
  /** Bytes, by Content-Length; 0 without a body, -1 when it is not known. */
  readonly bodySize: number;
  readonly identity: ExpressionIdentity | undefined;
};
