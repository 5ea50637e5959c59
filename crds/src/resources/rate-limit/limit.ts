import { defaults } from '../../schema/defaults.ts';
import { duration, expression } from '../../schema/fields.ts';
import { array, integer, object, oneOf, optional, type Static } from '../../schema/schema.ts';

const most = 1_000_000_000;

const rate = object(
  {
    limit: integer({
      description: 'Requests, or their cost, in one window; 0 lets none through.',
      minimum: 0,
      maximum: most,
    }),
    window: duration('Length of the window, from "1s" to "576h".'),
  },
  { description: 'So many in so long.' },
);

const percent = (description: string, fallback?: number) =>
  integer({
    description,
    minimum: 1,
    maximum: 100,
    ...(fallback === undefined ? {} : { default: fallback }),
  });

const adaptive = object(
  {
    minimum: optional(percent('Percent of the limit below which it never shrinks.', 10)),
    errors: optional(
      percent('Percent of 5xx answers and failures of the upstream from which it shrinks.', 20),
    ),
    latency: optional(
      integer({
        description:
          'Percent of its usual latency from which it shrinks; 0: latency does not count.',
        minimum: 0,
        maximum: 10_000,
        default: 300,
      }),
    ),
    priority: optional(
      expression('From 0 (shed first, the default) to 1 (never shed); a number over the identity.'),
    ),
  },
  { description: 'The limit shrinks while the upstream is not well, and recovers with it.' },
);

export const limit = object(
  {
    rates: optional(
      array(rate, {
        description: 'Rates, all must be kept; the tightest decides.',
        minItems: 1,
        maxItems: 4,
      }),
    ),
    concurrency: optional(
      integer({
        description: 'Requests under way at one time; 0 lets none through.',
        minimum: 0,
        maximum: 1_000_000,
      }),
    ),
    algorithm: optional(
      oneOf(['TokenBucket', 'SlidingWindow', 'FixedWindow'], {
        description:
          'TokenBucket: refilled evenly, up to burst (GCRA). SlidingWindow: the present window and the ' +
          'share of the last one. FixedWindow: windows of the clock.',
        default: defaults.rateLimitAlgorithm,
      }),
    ),
    burst: optional(
      integer({
        description: 'Size of the bucket of TokenBucket; the limit of the rate when left out.',
        minimum: 1,
        maximum: most,
      }),
    ),
    counters: optional(
      array(expression('A string, a number or a list of strings.'), {
        description:
          'What is counted apart: one counter for each combination of values. Left out: the id of the ' +
          'identity, or the address of the client (of IPv6 the first 64 bits). Empty: all together.',
        maxItems: 8,
      }),
    ),
    cost: optional(
      expression('What a request costs, a number; 1 when left out, less than 0 counts as 0.'),
    ),
    when: optional(expression('The limit counts only requests for which this holds; a bool.')),
    adaptive: optional(adaptive),
  },
  {
    description: 'A limit.',
    rules: [
      {
        rule: 'has(self.rates) != has(self.concurrency)',
        message: 'exactly one of rates and concurrency must be given',
      },
      {
        rule: "!has(self.burst) || (has(self.rates) && (!has(self.algorithm) || self.algorithm == 'TokenBucket'))",
        message: 'burst goes with rates and the algorithm TokenBucket',
      },
    ],
  },
);

export type Limit = Static<typeof limit>;
