import { type CelInput, celEnv, isCelError, isCelList, parse, plan } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import {
  type CompiledExpression,
  ExpressionError,
  type ExpressionScope,
  type ExpressionSource,
  type ExpressionType,
} from './types.ts';

/** @throws Error when the text is not sound. */
export function compileExpression(
  text: string,
  type: ExpressionType,
  _scope: ExpressionScope,
): CompiledExpression {
  const run = plan(celEnv({ funcs: strings }), parse(text)) as (b: object) => unknown;
  return {
    identityOnly: !/\b(request|client)\b/.test(text),
    evaluate(source) {
      const value = run(bindings(source));
      if (isCelError(value)) throw new ExpressionError(value.message);
      if (type === 'bool' && typeof value !== 'boolean') throw new ExpressionError('not a bool');
      if (typeof value === 'bigint') return Number(value);
      if (isCelList(value)) return [...value].map(String);
      return value as string;
    },
  };
}

function bindings(source: ExpressionSource): Record<string, CelInput> {
  const claims = (source.identity?.claims ?? {}) as CelInput;
  const { method, path, host, scheme, requestId, route, rule } = source;
  return {
    request: { method, path, host, scheme, id: requestId, route, rule } as unknown as CelInput,
    client: { address: source.clientAddress } as unknown as CelInput,
    identity: { ...source.identity } as unknown as CelInput,
    claims,
  };
}
