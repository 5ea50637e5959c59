import type { MessageInitShape } from '@bufbuild/protobuf';
import { defaults, type HealthCheck, type OutlierDetection } from '@gatehouse/crds';
import type { HealthCheckSchema, OutlierDetectionSchema } from '@gatehouse/snapshot';
import { milliseconds } from './durations.ts';
import type { Report } from './status.ts';

const hour = 3_600_000;

type Probe = NonNullable<MessageInitShape<typeof HealthCheckSchema>['probe']>;

/** Reads a duration that must lie within bounds. */
function bounded(
  text: string,
  [least, most]: readonly [number, number],
  words: string,
  path: string,
  report: Report,
): number {
  const value = milliseconds(text, path, report);
  if (value < least || value > most) report(path, `"${text}" must be ${words}`);
  return value;
}

/** With any report the result must not be used. */
export function compileOutlierDetection(
  spec: OutlierDetection,
  path: string,
  report: Report,
): MessageInitShape<typeof OutlierDetectionSchema> {
  const {
    interval = defaults.outlierInterval,
    baseEjectionTime: base = defaults.outlierBaseEjectionTime,
    maxEjectionTime: most = defaults.outlierMaxEjectionTime,
    successRate,
  } = spec;
  const time = [1, 24 * hour] as const;
  const baseEjectionMs = bounded(
    base,
    time,
    'from "1ms" to "24h"',
    `${path}.baseEjectionTime`,
    report,
  );
  let maxEjectionMs = bounded(most, time, 'from "1ms" to "24h"', `${path}.maxEjectionTime`, report);
  if (maxEjectionMs < baseEjectionMs) {
    // The API server fills the default in, so it cannot be told from one that was written.
    if (most !== defaults.outlierMaxEjectionTime) {
      report(`${path}.maxEjectionTime`, 'must not be shorter than baseEjectionTime');
    }
    maxEjectionMs = baseEjectionMs;
  }
  return {
    consecutiveErrors: spec.consecutiveErrors ?? defaults.outlierConsecutiveErrors,
    consecutiveGatewayErrors:
      spec.consecutiveGatewayErrors ?? defaults.outlierConsecutiveGatewayErrors,
    ...(successRate
      ? {
          successRate: {
            deviationPercent: successRate.deviationPercent ?? defaults.outlierDeviation,
            minimumEndpoints: successRate.minimumEndpoints ?? defaults.outlierMinimumEndpoints,
            minimumRequests: successRate.minimumRequests ?? defaults.outlierMinimumRequests,
          },
        }
      : {}),
    intervalMs: bounded(interval, [1000, hour], 'from "1s" to "1h"', `${path}.interval`, report),
    baseEjectionMs,
    maxEjectionMs,
    maxEjectedPercent: spec.maxEjectedPercent ?? defaults.outlierMaxEjected,
  };
}

function probeOf({ http, grpc }: HealthCheck): Probe {
  if (http) {
    const { path, host = '', statuses = [] } = http;
    return { case: 'http', value: { path, host, statuses } };
  }
  if (!grpc) return { case: 'tcp', value: {} };
  const { service = '', host = '' } = grpc;
  return { case: 'grpc', value: { service, host } };
}

/** With any report the result must not be used. */
export function compileHealthCheck(
  spec: HealthCheck,
  path: string,
  report: Report,
): MessageInitShape<typeof HealthCheckSchema> {
  const {
    http,
    interval = defaults.healthCheckInterval,
    timeout = defaults.healthCheckTimeout,
  } = spec;
  if (!http && !spec.tcp && !spec.grpc) {
    report(path, 'exactly one of http, tcp and grpc must be given');
  }
  if (http && /[^!-~]/.test(http.path)) {
    report(`${path}.http.path`, 'must be of ASCII characters; escape others as "%C3%A9"');
  }
  const intervalMs = bounded(
    interval,
    [100, hour],
    'from "100ms" to "1h"',
    `${path}.interval`,
    report,
  );
  let timeoutMs = milliseconds(timeout, `${path}.timeout`, report);
  if (timeoutMs === 0) report(`${path}.timeout`, 'must be more than "0s"');
  if (timeoutMs > intervalMs) {
    if (timeout !== defaults.healthCheckTimeout) {
      report(
        `${path}.timeout`,
        'must not be longer than interval: checks would overtake each other',
      );
    }
    timeoutMs = intervalMs;
  }
  return {
    probe: probeOf(spec),
    intervalMs,
    timeoutMs,
    unhealthyThreshold: spec.unhealthyThreshold ?? defaults.unhealthyThreshold,
    healthyThreshold: spec.healthyThreshold ?? defaults.healthyThreshold,
    jitterPercent: spec.jitterPercent ?? defaults.healthCheckJitter,
    port: spec.port ?? 0,
  };
}
