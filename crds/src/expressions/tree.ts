import type { parse } from '@bufbuild/cel';

/** What the parser makes of a text. */
export type Tree = ReturnType<typeof parse>;
export type Expr = Tree['expr'];
export type ExprOf<Case> = Extract<Expr['exprKind'], { case: Case }>['value'];
