import type { MessageInitShape } from '@bufbuild/protobuf';
import { defaults, type Retries } from '@gatehouse/crds';
import { Retries_On, type RetriesSchema } from '@gatehouse/snapshot';
import { milliseconds } from './durations.ts';
import type { Report } from './status.ts';

type On = NonNullable<Retries['on']>[number];

const numbers: Record<On, Retries_On> = {
  'connect-failure': Retries_On.CONNECT_FAILURE,
  reset: Retries_On.RESET,
  'gateway-error': Retries_On.GATEWAY_ERROR,
  '5xx': Retries_On.SERVER_ERROR,
  cancelled: Retries_On.GRPC_CANCELLED,
  'deadline-exceeded': Retries_On.GRPC_DEADLINE_EXCEEDED,
  internal: Retries_On.GRPC_INTERNAL,
  'resource-exhausted': Retries_On.GRPC_RESOURCE_EXHAUSTED,
  unavailable: Retries_On.GRPC_UNAVAILABLE,
};

const usual: On[] = ['connect-failure', 'reset', 'gateway-error'];

/**
 * With any report the result must not be used.
 * @param request limit of the whole request in milliseconds; 0: none.
 */
export function compileRetries(
  spec: Retries,
  request: number,
  path: string,
  report: Report,
): MessageInitShape<typeof RetriesSchema> {
  const { statuses = [], backOff = {}, budget = {}, hedge } = spec;
  const { initial = defaults.backOffInitial, max = defaults.backOffMax } = backOff;
  const read = (text: string, field: string) => milliseconds(text, `${path}.${field}`, report);
  const initialMs = read(initial, 'backOff.initial');
  let maxMs = read(max, 'backOff.max');
  if (maxMs < initialMs) {
    // The API server fills defaults in: one cannot be told from the same value written out.
    if (max !== defaults.backOffMax) {
      report(`${path}.backOff.max`, 'must not be shorter than backOff.initial');
    }
    maxMs = initialMs;
  }
  const tryTimeoutMs =
    spec.perTryTimeout === undefined ? 0 : read(spec.perTryTimeout, 'perTryTimeout');
  if (spec.perTryTimeout !== undefined && tryTimeoutMs === 0) {
    report(`${path}.perTryTimeout`, 'must be more than "0s"; leave it out for none');
  }
  const hedgeAfterMs = hedge ? read(hedge.after, 'hedge.after') : 0;
  if (hedge && hedgeAfterMs === 0) {
    report(`${path}.hedge.after`, 'must be more than "0s"; leave hedge out for none');
  }
  for (const [field, value] of Object.entries({
    perTryTimeout: tryTimeoutMs,
    'hedge.after': hedgeAfterMs,
  })) {
    if (request > 0 && value > request) {
      report(`${path}.${field}`, 'must not be longer than timeouts.request: it would never pass');
    }
  }
  if (tryTimeoutMs > 0 && hedgeAfterMs >= tryTimeoutMs) {
    report(`${path}.hedge.after`, 'must be shorter than perTryTimeout: it would never pass');
  }
  const on = spec.on ?? (statuses.length > 0 ? [] : usual);
  return {
    attempts: spec.attempts ?? defaults.retryAttempts,
    on: on.map((name) => numbers[name]).sort((a, b) => a - b),
    statuses: [...statuses].sort((a, b) => a - b),
    tryTimeoutMs,
    backOffInitialMs: initialMs,
    backOffMaxMs: maxMs,
    maxRetryAfterMs: read(spec.maxRetryAfter ?? defaults.maxRetryAfter, 'maxRetryAfter'),
    budgetPercent: budget.percent ?? defaults.retryBudgetPercent,
    budgetMinimum: budget.minimum ?? defaults.retryBudgetMinimum,
    hedgeAfterMs,
  };
}
