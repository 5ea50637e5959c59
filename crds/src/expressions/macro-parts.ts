import type { MacroName } from './node.ts';
import type { Expr, ExprOf } from './tree.ts';

const names: ReadonlyMap<string, MacroName> = new Map([
  ['all', 'all'],
  ['exists', 'exists'],
  ['exists_one', 'exists_one'],
  ['existsOne', 'exists_one'],
  ['map', 'map'],
  ['filter', 'filter'],
]);

type MacroParts = {
  readonly macro: MacroName;
  readonly range: Expr;
  readonly variable: string;
  readonly test: Expr | undefined;
  readonly step: Expr | undefined;
};

/**
 * Finds in its expansion what was written in a macro. The step of all and exists is "result && test" or
 * "result || test", of the others "test ? result + [item] : result", of a map without test
 * "result + [item]".
 */
export function macroParts(
  name: string,
  { iterRange, iterVar, loopStep }: ExprOf<'comprehensionExpr'>,
): MacroParts | undefined {
  const macro = names.get(name);
  const call = callIn(loopStep);
  if (macro === undefined || iterRange === undefined || call === undefined) return undefined;
  const [first, second] = call.args;
  const parts = { macro, range: iterRange, variable: iterVar };
  if (call.function !== '_?_:_') {
    return macro === 'map'
      ? { ...parts, test: undefined, step: appended(loopStep) }
      : { ...parts, test: second, step: undefined };
  }
  return { ...parts, test: first, step: macro === 'map' ? appended(second) : undefined };
}

function callIn(expr: Expr | undefined): ExprOf<'callExpr'> | undefined {
  return expr?.exprKind.case === 'callExpr' ? expr.exprKind.value : undefined;
}

/** The item in "result + [item]". */
function appended(expr: Expr | undefined): Expr | undefined {
  const list = callIn(expr)?.args[1]?.exprKind;
  return list?.case === 'listExpr' ? list.value.elements[0] : undefined;
}
