import type { parse } from '@bufbuild/cel';
import { constant } from './constant.ts';
import { expressionLimits } from './limits.ts';
import type { MacroName, Node, Shape } from './node.ts';
import { Mistake, skipBlank } from './place.ts';

type Tree = ReturnType<typeof parse>;
type Expr = Tree['expr'];
type Of<Case> = Extract<Expr['exprKind'], { case: Case }>['value'];

const macros: ReadonlyMap<string, MacroName> = new Map([
  ['all', 'all'],
  ['exists', 'exists'],
  ['exists_one', 'exists_one'],
  ['existsOne', 'exists_one'],
  ['map', 'map'],
  ['filter', 'filter'],
]);

/**
 * Brings the parser's tree to ours: macros as they were written instead of their expansion, every node
 * at the place of its own word or sign.
 */
export function lower(text: string, { expr, sourceInfo }: Tree): Node {
  let count = 0;

  function offsetOf({ id }: Expr): number {
    return skipBlank(text, sourceInfo?.positions[String(id)] ?? 0);
  }

  function placed(expr: Expr, depth: number): Node {
    const at = offsetOf(expr);
    if (depth > expressionLimits.depth) {
      throw new Mistake(at, `nested too deeply; at most ${expressionLimits.depth} levels`);
    }
    const before = count++;
    if (count > expressionLimits.nodes) {
      throw new Mistake(
        at,
        `too large; at most ${expressionLimits.nodes} names, values and operators`,
      );
    }
    const below = (part: Expr | undefined) => {
      if (part === undefined) throw new Mistake(at, 'incomplete expression');
      return placed(part, depth + 1);
    };
    const { at: place = at, ...shape } = shapeOf(expr, at, below);
    return { ...shape, at: place, size: count - before } as Node;
  }

  function shapeOf(
    expr: Expr,
    at: number,
    below: (part: Expr | undefined) => Node,
  ): Shape & { at?: number } {
    const { exprKind } = expr;
    switch (exprKind.case) {
      case 'constExpr':
        return constant(exprKind.value, at);
      case 'identExpr':
        return { kind: 'name', name: exprKind.value.name };
      case 'selectExpr':
        return select(expr, exprKind.value, below);
      case 'callExpr': {
        const { function: name, target, args } = exprKind.value;
        return {
          kind: 'call',
          name,
          target: target && below(target),
          args: args.map(below),
          at: afterDot(at),
        };
      }
      case 'listExpr':
        return { kind: 'list', items: exprKind.value.elements.map(below) };
      case 'structExpr':
        return mapLiteral(exprKind.value, at, below);
      case 'comprehensionExpr':
        return { ...macro(expr, exprKind.value, below), at: afterDot(at) };
      default:
        throw new Mistake(at, 'incomplete expression');
    }
  }

  /** The parser places a member at its dot. */
  function afterDot(at: number): number {
    return text[at] === '.' ? skipBlank(text, at + 1) : at;
  }

  function select(
    { id }: Expr,
    { operand, field, testOnly }: Of<'selectExpr'>,
    below: (part: Expr | undefined) => Node,
  ): Shape & { at: number } {
    const written = testOnly ? macroCall(id)?.args[0]?.id : id;
    const at = afterDot(skipBlank(text, sourceInfo?.positions[String(written)] ?? 0));
    return { kind: 'select', operand: below(operand), field, test: testOnly, at };
  }

  function macroCall(id: bigint): Of<'callExpr'> | undefined {
    const call = sourceInfo?.macroCalls[String(id)]?.exprKind;
    return call?.case === 'callExpr' ? call.value : undefined;
  }

  function macro(
    { id }: Expr,
    { iterRange, iterVar, loopStep }: Of<'comprehensionExpr'>,
    below: (part: Expr | undefined) => Node,
  ): Shape {
    const name = macros.get(macroCall(id)?.function ?? '');
    const { exprKind } = loopStep ?? {};
    if (name === undefined || exprKind?.case !== 'callExpr') throw new Mistake(0, 'unknown macro');
    const { function: operator, args } = exprKind.value;
    const range = below(iterRange);
    const made = (append: Expr | undefined) => {
      const items =
        append?.exprKind.case === 'callExpr' ? append.exprKind.value.args[1] : undefined;
      return items?.exprKind.case === 'listExpr' ? items.exprKind.value.elements[0] : undefined;
    };
    // The step of all and exists is "result && test", of the others "result + [item]", behind "test ?".
    const conditional = operator === '_?_:_';
    const test = conditional ? args[0] : args[1];
    const step = conditional ? made(args[1]) : made(loopStep);
    return {
      kind: 'macro',
      macro: name,
      range,
      variable: iterVar,
      test: name === 'map' && !conditional ? undefined : below(test),
      step: name === 'map' ? below(step) : undefined,
    };
  }

  function mapLiteral(
    { messageName, entries }: Of<'structExpr'>,
    at: number,
    below: (part: Expr | undefined) => Node,
  ): Shape {
    if (messageName !== '')
      throw new Mistake(at, `messages such as ${messageName}{} are left out here`);
    return {
      kind: 'map',
      entries: entries.map(({ keyKind, value }) => {
        if (keyKind.case !== 'mapKey') throw new Mistake(at, 'the keys of a map are expressions');
        return [below(keyKind.value), below(value)] as const;
      }),
    };
  }

  return placed(expr, 1);
}
