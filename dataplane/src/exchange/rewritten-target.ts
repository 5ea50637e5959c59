import { rewritePath } from '../link/rewrite.ts';
import type { PathRewrite } from '../link/runtime.ts';
import { variablesOf } from '../router/index.ts';
import type { Exchange } from './exchange.ts';

/** Path and query of the request after a rewrite; as they came when there is none. */
export function rewrittenTarget(exchange: Exchange, rewrite: PathRewrite | undefined): string {
  const { head, match } = exchange;
  const path =
    rewrite && match
      ? rewritePath(rewrite, head.path, () => variablesOf(match, head.path))
      : head.path;
  const query = exchange.query ?? head.query;
  return query === '' ? path : `${path}?${query}`;
}
