import { constant } from './constant.ts';
import { expressionLimits } from './limits.ts';
import { macroParts } from './macro-parts.ts';
import type { Node, Shape } from './node.ts';
import { Mistake, skipBlank } from './place.ts';
import type { Expr, ExprOf, Tree } from './tree.ts';

const { depth: mostDepth, nodes: mostNodes } = expressionLimits;
export const tooDeep = `nested too deeply; at most ${mostDepth} levels`;

type Below = (part: Expr | undefined) => Node;

/**
 * Brings the parser's tree to ours: macros as they were written instead of their expansion, every node
 * at the place of its own word or sign.
 */
export function lower(text: string, { expr, sourceInfo }: Tree): Node {
  let count = 0;

  function offsetOf(id: bigint | undefined): number {
    return skipBlank(text, sourceInfo?.positions[String(id)] ?? 0);
  }

  /** The parser places a member at its dot. */
  function memberAt(id: bigint | undefined): number {
    const at = offsetOf(id);
    return text[at] === '.' ? skipBlank(text, at + 1) : at;
  }

  function placed(expr: Expr, depth: number): Node {
    const before = count++;
    const at = memberAt(expr.id);
    if (depth > mostDepth) throw new Mistake(at, tooDeep);
    if (count > mostNodes) {
      throw new Mistake(at, `too large; at most ${mostNodes} names, values and operators`);
    }
    const shape = shapeOf(expr, at, (part) => {
      if (part === undefined) throw new Mistake(at, 'incomplete expression');
      return placed(part, depth + 1);
    });
    return { at, ...shape, size: count - before };
  }

  function shapeOf({ id, exprKind }: Expr, at: number, below: Below): Shape & { at?: number } {
    switch (exprKind.case) {
      case 'constExpr':
        return constant(exprKind.value, at);
      case 'identExpr':
        return { kind: 'name', name: exprKind.value.name };
      case 'selectExpr': {
        const { operand, field, testOnly: test } = exprKind.value;
        // has() stands where it begins: the field is its argument.
        const place = test ? memberAt(macroCall(id)?.args[0]?.id) : at;
        return { kind: 'select', operand: below(operand), field, test, at: place };
      }
      case 'callExpr': {
        const { function: name, target, args } = exprKind.value;
        return { kind: 'call', name, target: target && below(target), args: args.map(below) };
      }
      case 'listExpr':
        return { kind: 'list', items: exprKind.value.elements.map(below) };
      case 'structExpr':
        return mapLiteral(exprKind.value, at, below);
      case 'comprehensionExpr': {
        const parts = macroParts(macroCall(id)?.function ?? '', exprKind.value);
        if (parts === undefined) throw new Mistake(at, 'unknown macro');
        const { macro, variable, range, test, step } = parts;
        return {
          kind: 'macro',
          macro,
          variable,
          range: below(range),
          test: test && below(test),
          step: step && below(step),
        };
      }
      default:
        throw new Mistake(at, 'incomplete expression');
    }
  }

  function macroCall(id: bigint): ExprOf<'callExpr'> | undefined {
    const call = sourceInfo?.macroCalls[String(id)]?.exprKind;
    return call?.case === 'callExpr' ? call.value : undefined;
  }

  return placed(expr, 1);
}

function mapLiteral(literal: ExprOf<'structExpr'>, at: number, below: Below): Shape {
  const { messageName, entries } = literal;
  if (messageName !== '') {
    throw new Mistake(at, `messages such as ${messageName}{} are left out here`);
  }
  return {
    kind: 'map',
    entries: entries.map(({ keyKind, value }) => {
      if (keyKind.case !== 'mapKey') throw new Mistake(at, 'the keys of a map are expressions');
      return [below(keyKind.value), below(value)];
    }),
  };
}
