import { defaults } from '../../schema/defaults.ts';
import { duration } from '../../schema/fields.ts';
import { integer, object, optional, type Static } from '../../schema/schema.ts';

const successRate = object(
  {
    deviationPercent: optional(
      integer({
        description:
          'An endpoint is ejected when its rate lies below the mean of all by more than so many percent ' +
          'of the standard deviation.',
        minimum: 1,
        maximum: 1000,
        default: defaults.outlierDeviation,
      }),
    ),
    minimumEndpoints: optional(
      integer({
        description: 'With fewer endpoints that had enough requests nobody is ejected.',
        minimum: 2,
        maximum: 1000,
        default: defaults.outlierMinimumEndpoints,
      }),
    ),
    minimumRequests: optional(
      integer({
        description: 'Requests in an interval, of this data plane, that make the rate count.',
        minimum: 1,
        maximum: 1_000_000,
        default: defaults.outlierMinimumRequests,
      }),
    ),
  },
  { description: 'Compares the share of requests that each endpoint answers well.' },
);

export const outlierDetection = object(
  {
    consecutiveErrors: optional(
      integer({
        description:
          'Answers with a 5xx status, and failures, one after the other, that eject an endpoint. 0: none do.',
        minimum: 0,
        maximum: 100_000,
        default: defaults.outlierConsecutiveErrors,
      }),
    ),
    consecutiveGatewayErrors: optional(
      integer({
        description:
          'Answers with 502, 503 or 504, and failures (no connection, no answer in time, a connection ' +
          'that breaks, nonsense), one after the other. 0: none do.',
        minimum: 0,
        maximum: 100_000,
        default: defaults.outlierConsecutiveGatewayErrors,
      }),
    ),
    successRate: optional(successRate),
    interval: optional(
      duration('How often rates are compared, from "1s" to "1h".', defaults.outlierInterval),
    ),
    baseEjectionTime: optional(
      duration(
        'How long an endpoint is ejected; twice as long the second time, and so on. An interval without ' +
          'an ejection takes one time back.',
        defaults.outlierBaseEjectionTime,
      ),
    ),
    maxEjectionTime: optional(duration('The longest ejection.', defaults.outlierMaxEjectionTime)),
    maxEjectedPercent: optional(
      integer({
        description: 'Percent of the endpoints that are ejected at most; one always may be.',
        minimum: 1,
        maximum: 100,
        default: defaults.outlierMaxEjected,
      }),
    ),
  },
  {
    description:
      'Takes endpoints out of service for what they answer. What one serving thread finds out holds for all.',
  },
);

export type OutlierDetection = Static<typeof outlierDetection>;
