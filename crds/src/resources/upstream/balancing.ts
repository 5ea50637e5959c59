import { defaults } from '../../schema/defaults.ts';
import { cookiePathPattern, duration, expression, tokenPattern } from '../../schema/fields.ts';
import { integer, object, oneOf, optional, type Static, string } from '../../schema/schema.ts';

const sticky = object(
  {
    cookie: optional(
      string({
        description: 'Name of the cookie.',
        minLength: 1,
        maxLength: 128,
        pattern: tokenPattern,
        default: defaults.stickyCookie,
      }),
    ),
    path: optional(
      string({
        description: 'Path of the cookie (RFC 6265 section 4.1.2.4).',
        minLength: 1,
        maxLength: 1024,
        pattern: cookiePathPattern,
        default: defaults.stickyPath,
      }),
    ),
    ttl: optional(
      duration('How long the cookie lasts; as long as the session of the browser when left out.'),
    ),
  },
  {
    description:
      'Requests of a client go to the endpoint that served it first, as long as it is in service. The ' +
      'gateway sets a cookie that tells nothing of addresses.',
  },
);

const slowStart = object(
  {
    window: duration('Time in which its share grows to the whole, evenly.'),
    minPercent: optional(
      integer({
        description: 'Percent of its share with which it begins.',
        minimum: 1,
        maximum: 100,
        default: defaults.slowStartMinPercent,
      }),
    ),
  },
  { description: 'An endpoint that is new, or back in service, gets its share little by little.' },
);

export const balancing = object(
  {
    algorithm: optional(
      oneOf(['RoundRobin', 'Random', 'LeastRequest', 'PeakEwma', 'RingHash', 'Maglev'], {
        description:
          'RoundRobin: by weight, smoothly. Random: by weight. LeastRequest: the less busy of two. ' +
          'PeakEwma: the one of two that answers sooner, by latency and requests under way. RingHash, ' +
          'Maglev: by key, consistently; Maglev is more even, RingHash moves fewer keys.',
        default: defaults.balancingAlgorithm,
      }),
    ),
    key: optional(
      expression(
        'What RingHash and Maglev go by: a string, a number or a list of strings, e.g. ' +
          '`request.headers["x-user"]`. A request without it goes anywhere.',
      ),
    ),
    sticky: optional(sticky),
    slowStart: optional(slowStart),
    panicThreshold: optional(
      integer({
        description:
          'Percent. When fewer endpoints are in service, all are used: better some failures than too ' +
          'much for those that are left. 0: never.',
        minimum: 0,
        maximum: 100,
        default: defaults.panicThreshold,
      }),
    ),
    zones: optional(
      oneOf(['Prefer', 'Ignore'], {
        description:
          'Prefer: endpoints meant for the zone of the data plane get the requests, as far as they are in ' +
          'service. Ignore: all alike.',
        default: defaults.balancingZones,
      }),
    ),
  },
  {
    description: 'Which endpoint gets the next request.',
    rules: [
      {
        rule: "has(self.key) == (has(self.algorithm) && self.algorithm in ['RingHash', 'Maglev'])",
        message: 'key is needed for RingHash and Maglev, and must be left out for the others',
      },
      {
        rule: "!has(self.slowStart) || !has(self.algorithm) || !(self.algorithm in ['RingHash', 'Maglev'])",
        message: 'slowStart does not go with RingHash and Maglev: a key would move while it lasts',
      },
    ],
  },
);

export type Balancing = Static<typeof balancing>;
