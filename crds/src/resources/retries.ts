import { defaults } from '../schema/defaults.ts';
import { duration } from '../schema/fields.ts';
import { array, integer, object, oneOf, optional, type Static } from '../schema/schema.ts';

const backOff = object(
  {
    initial: optional(
      duration(
        'Longest wait before the first retry; it doubles each time.',
        defaults.backOffInitial,
      ),
    ),
    max: optional(duration('Longest wait before any retry.', defaults.backOffMax)),
  },
  {
    description:
      'Waits before retries are drawn between 0 and the longest (full jitter), so that they do not come all at once.',
  },
);

const budget = object(
  {
    percent: optional(
      integer({
        description:
          'Retries under way to an upstream, in percent of its requests under way that may be retried.',
        minimum: 0,
        maximum: 100,
        default: defaults.retryBudgetPercent,
      }),
    ),
    minimum: optional(
      integer({
        description: 'So many are allowed however few requests are under way.',
        minimum: 0,
        maximum: 10_000,
        default: defaults.retryBudgetMinimum,
      }),
    ),
  },
  {
    description:
      'Keeps retries from multiplying the load of an upstream that fails. Of each serving thread.',
  },
);

const hedge = object(
  {
    after: duration('How long to wait for the head of an answer before another endpoint is asked.'),
  },
  {
    description:
      'Asks another endpoint when the first one is slow, and takes the answer that is there first. Counts as a retry.',
  },
);

const httpFailures = ['connect-failure', 'reset', 'gateway-error', '5xx'] as const;

/** As in the retry-on of Envoy. */
const grpcFailures = [
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
] as const;

export const retries = object(
  {
    attempts: optional(
      integer({
        description: 'Retries after the first try.',
        minimum: 1,
        maximum: 10,
        default: defaults.retryAttempts,
      }),
    ),
    on: optional(
      array(
        oneOf([...httpFailures, ...grpcFailures], {
          description:
            'connect-failure: no connection, nothing was sent. reset: the connection broke, or nonsense ' +
            'came, before an answer. gateway-error: 502, 503, 504, or no answer in time. 5xx: any 5xx, ' +
            'and all of connect-failure, reset and gateway-error. The others are statuses of gRPC, of an ' +
            'answer that has nothing but a status: calls that get it are sent again, so name only what ' +
            'all methods of the rule may be called twice after.',
        }),
        {
          description:
            'What is retried; connect-failure, reset and gateway-error when both this and statuses are left out.',
          minItems: 1,
          maxItems: 9,
        },
      ),
    ),
    statuses: optional(
      array(integer({ description: 'Status code.', minimum: 400, maximum: 599 }), {
        description: 'Further statuses that are retried.',
        minItems: 1,
        maxItems: 16,
      }),
    ),
    perTryTimeout: optional(
      duration(
        'Limit from the end of the request to the head of the response for each try, in place of timeouts.backendRequest.',
      ),
    ),
    backOff: optional(backOff),
    maxRetryAfter: optional(
      duration(
        'A Retry-After of the answer is waited for up to this; an answer that asks for more is passed on.',
        defaults.maxRetryAfter,
      ),
    ),
    budget: optional(budget),
    hedge: optional(hedge),
  },
  {
    description:
      'Requests that failed are sent again, to another endpoint if there is one. Only idempotent methods ' +
      '(RFC 9110 section 9.2.2), unless nothing was sent or a status of gRPC is named; never once the ' +
      'response has begun.',
  },
);

export type Retries = Static<typeof retries>;
