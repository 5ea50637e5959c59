import { applicabilityOf, type Exchange, filterKinds } from '@gatehouse/dataplane/explain';
import type { PolicyOrigin } from '@gatehouse/snapshot';
import type { ExplainedOrigin } from './explanation.ts';

/** Whether a policy object applies to a request, each of its two conditions by itself. */
export function explainedOrigin(
  kind: string,
  origin: PolicyOrigin,
  exchange: Exchange,
): ExplainedOrigin & { failure: string | undefined } {
  const { name, shadow, when, excludedPaths } = origin;
  const excluded = !holds({ ...origin, when: '' }, exchange);
  const { value: whenHolds, failure } = whenOf(kind, { ...origin, excludedPaths: [] }, exchange);
  const applies = excluded ? false : whenHolds;
  return {
    policy: name,
    shadow,
    when,
    whenHolds,
    excluded,
    applies,
    because: excluded
      ? `path ${exchange.head.path} is excluded (${excludedPaths.join(', ')})`
      : whenHolds === false
        ? `when is false: ${when}`
        : whenHolds === null
          ? `when ${failure === undefined ? 'depends on the identity' : 'cannot be evaluated'}: ${when}`
          : '',
    // An excluded path spares the evaluation.
    failure: excluded ? undefined : failure,
  };
}

function holds(origin: PolicyOrigin, exchange: Exchange): boolean {
  const { applies } = applicabilityOf(origin, 'request');
  return applies === undefined || applies(exchange);
}

type Evaluated = { value: boolean | null; failure: string | undefined };

function whenOf(kind: string, origin: PolicyOrigin, exchange: Exchange): Evaluated {
  const scope = filterKinds.find((known) => known.kind === kind)?.whenScope ?? 'request';
  try {
    return { value: holds(origin, exchange), failure: undefined };
  } catch (error) {
    // What speaks of the identity does not compile in the scope of the request.
    if (scope === 'identity' && isSound(origin)) return { value: null, failure: undefined };
    return { value: null, failure: error instanceof Error ? error.message : String(error) };
  }
}

function isSound(origin: PolicyOrigin): boolean {
  try {
    applicabilityOf(origin, 'identity');
    return true;
  } catch {
    return false;
  }
}
