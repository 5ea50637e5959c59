import { type CompiledExpression, compileExpression, type ExpressionScope } from '@gatehouse/crds';
import type { PolicyOrigin } from '@gatehouse/snapshot';
import type { Exchange } from '../exchange/exchange.ts';
import { expressionSource } from './expression-source.ts';

/** Whether a policy object applies to a request. */
export type Applicability = {
  /** Undefined: to every request. @throws ExpressionError */
  applies: ((exchange: Exchange) => boolean) | undefined;
  shadow: boolean;
};

/** @throws Error when `when` is not sound. */
export function applicabilityOf(origin: PolicyOrigin, scope: ExpressionScope): Applicability {
  const { shadow } = origin;
  const when = origin.when === '' ? undefined : compileExpression(origin.when, 'bool', scope);
  const excludes = pathSet(origin.excludedPaths);
  if (!when && !excludes) return { applies: undefined, shadow };
  return {
    shadow,
    applies: (exchange) => !excludes?.(exchange.head.path) && (!when || holds(when, exchange)),
  };
}

function holds(when: CompiledExpression, exchange: Exchange): boolean {
  return when.evaluate(expressionSource(exchange, exchange.identity)) === true;
}

/** Whether a normalised path is in a list; "/a/*" stands for everything below "/a". */
function pathSet(paths: readonly string[]): ((path: string) => boolean) | undefined {
  if (paths.length === 0) return undefined;
  const exact = new Set(paths.filter((path) => !path.endsWith('/*')));
  const below = paths.filter((path) => path.endsWith('/*')).map((path) => path.slice(0, -1));
  if (below.length === 0) return (path) => exact.has(path);
  return (path) => exact.has(path) || below.some((prefix) => path.startsWith(prefix));
}
