import type { MessageInitShape } from '@bufbuild/protobuf';
import { type CircuitBreaker, defaults } from '@gatehouse/crds';
import type { CircuitBreakerSchema } from '@gatehouse/snapshot';
import { milliseconds } from './durations.ts';
import type { Report } from './status.ts';

const hour = 3_600_000;
const day = 24 * hour;

/** With any report the result must not be used. */
export function compileCircuitBreaker(
  spec: CircuitBreaker,
  path: string,
  report: Report,
): MessageInitShape<typeof CircuitBreakerSchema> {
  const { timeout = defaults.breakerTimeout, errorRate, limits = {} } = spec;
  const timeoutMs = milliseconds(timeout, `${path}.timeout`, report);
  if (timeoutMs < 1 || timeoutMs > day) {
    report(`${path}.timeout`, `"${timeout}" must be from "1ms" to "24h"`);
  }
  return {
    failureThreshold: spec.failureThreshold ?? defaults.breakerFailureThreshold,
    timeoutMs,
    halfOpenRequests: spec.halfOpenRequests ?? defaults.breakerHalfOpenRequests,
    ...(errorRate ? { errorRate: compileErrorRate(errorRate, `${path}.errorRate`, report) } : {}),
    limits: {
      maxRequests: limits.maxRequests ?? 0,
      maxRetries: limits.maxRetries ?? 0,
      maxConnections: limits.maxConnections ?? 0,
      maxPending: limits.maxPending ?? 0,
    },
  };
}

function compileErrorRate(
  {
    percent,
    window = defaults.errorRateWindow,
    minimumRequests,
  }: NonNullable<CircuitBreaker['errorRate']>,
  path: string,
  report: Report,
) {
  const windowMs = milliseconds(window, `${path}.window`, report);
  if (windowMs < 1000 || windowMs > hour) {
    report(`${path}.window`, `"${window}" must be from "1s" to "1h"`);
  }
  return {
    percent,
    windowMs,
    minimumRequests: minimumRequests ?? defaults.errorRateMinimumRequests,
  };
}
