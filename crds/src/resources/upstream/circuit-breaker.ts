import { defaults } from '../../schema/defaults.ts';
import { duration } from '../../schema/fields.ts';
import { integer, object, optional, type Static } from '../../schema/schema.ts';

const errorRate = object(
  {
    percent: integer({
      description: 'Percent of the requests in the window that fail.',
      minimum: 1,
      maximum: 100,
    }),
    window: optional(
      duration(
        'Length of the window, from "1s" to "1h"; it slides by tenths.',
        defaults.errorRateWindow,
      ),
    ),
    minimumRequests: optional(
      integer({
        description: 'With fewer requests in the window it does not open.',
        minimum: 1,
        maximum: 1_000_000,
        default: defaults.errorRateMinimumRequests,
      }),
    ),
  },
  { description: 'It opens as well when so many requests fail, however they are mixed.' },
);

const limits = object(
  {
    maxRequests: optional(
      integer({
        description: 'Requests under way, over all serving threads of a data plane.',
        minimum: 1,
        maximum: 1_000_000,
      }),
    ),
    maxConnections: optional(
      integer({
        description:
          'Connections to all endpoints together; serving threads have equal shares, rounded up. Beyond ' +
          'it requests wait (pool.queueTimeout).',
        minimum: 1,
        maximum: 1_000_000,
      }),
    ),
    maxPending: optional(
      integer({
        description:
          'Requests that wait for a connection, over all serving threads; 1024 on each thread when left out.',
        minimum: 1,
        maximum: 1_000_000,
      }),
    ),
    maxRetries: optional(
      integer({
        description: 'Retries under way, over all serving threads; what is beyond is not retried.',
        minimum: 1,
        maximum: 1_000_000,
      }),
    ),
  },
  { description: 'What is beyond gets 503 at once, or the fallback of the rule.' },
);

export const circuitBreaker = object(
  {
    failureThreshold: optional(
      integer({
        description:
          'Failures, one after the other, that open it: answers with a 5xx status, no connection, no ' +
          'answer in time, a connection that breaks, nonsense. 0: they do not open it.',
        minimum: 0,
        maximum: 100_000,
        default: defaults.breakerFailureThreshold,
      }),
    ),
    timeout: optional(
      duration('How long it stays open before it lets probes through.', defaults.breakerTimeout),
    ),
    halfOpenRequests: optional(
      integer({
        description: 'Probes. When all succeed it closes; when one fails it opens again.',
        minimum: 1,
        maximum: 1000,
        default: defaults.breakerHalfOpenRequests,
      }),
    ),
    errorRate: optional(errorRate),
    limits: optional(limits),
  },
  {
    description:
      'Spares an upstream that does not work: while the breaker is open, requests get 503 at once, or the ' +
      'fallback of the rule. One state for all serving threads of a data plane.',
  },
);

export type CircuitBreaker = Static<typeof circuitBreaker>;
