/** What an expression may cost. Text beyond the first four is refused when it is compiled. */
export const expressionLimits = {
  /** UTF-16 units of text; the schemas allow as much. */
  characters: 4096,
  /** Operators, calls, names and literals. */
  nodes: 1000,
  /** Nodes above each other. */
  depth: 64,
  /** Macros that iterate inside the body of another one. */
  nestedLoops: 2,
  /** Instructions of a regular expression. */
  patternSize: 500,
  /**
   * Steps of one evaluation, of about 50 ns at worst: a node in the body of a loop is one, and so is
   * each stretch of text or list that a function goes through.
   */
  steps: 20_000,
  /** UTF-16 units of a string that an evaluation makes. */
  string: 65_536,
} as const;
