import { defaults } from '../../schema/defaults.ts';
import { duration, hostname, path, port } from '../../schema/fields.ts';
import { array, integer, object, optional, type Static, string } from '../../schema/schema.ts';

const http = object(
  {
    path: path('Path that is asked for with GET, without a query.'),
    host: optional(hostname('Host that is sent; address and port of the endpoint when left out.')),
    statuses: optional(
      array(integer({ description: 'Status code.', minimum: 200, maximum: 599 }), {
        description: 'Answers of an endpoint that is well; 200 to 299 when left out.',
        minItems: 1,
        maxItems: 16,
      }),
    ),
  },
  {
    description: 'It is well when it answers in HTTP/1.1 with one of the statuses.',
    rules: [
      {
        rule: "!has(self.host) || !self.host.startsWith('*')",
        message: 'host must not be a wildcard',
      },
    ],
  },
);

const tcp = object({}, { description: 'It is well when it takes a connection.' });

const grpc = object(
  {
    service: optional(
      string({
        description:
          'Service that is asked for, such as "shop.v1.Catalog"; the server as a whole when left out.',
        minLength: 1,
        maxLength: 253,
        pattern: '^[A-Za-z_][A-Za-z0-9_.]*$',
      }),
    ),
    host: optional(hostname('Host that is sent; address and port of the endpoint when left out.')),
  },
  {
    description: 'It is well when it answers SERVING to grpc.health.v1.Health/Check, over HTTP/2.',
    rules: [
      {
        rule: "!has(self.host) || !self.host.startsWith('*')",
        message: 'host must not be a wildcard',
      },
    ],
  },
);

const threshold = (description: string, fallback: number) =>
  integer({ description, minimum: 1, maximum: 100, default: fallback });

export const healthCheck = object(
  {
    http: optional(http),
    tcp: optional(tcp),
    grpc: optional(grpc),
    interval: optional(
      duration('Time between two checks, from "100ms" to "1h".', defaults.healthCheckInterval),
    ),
    timeout: optional(
      duration('Limit for one check, not longer than interval.', defaults.healthCheckTimeout),
    ),
    unhealthyThreshold: optional(
      threshold(
        'Checks, one after the other, that fail before an endpoint is out of service. The first check of ' +
          'an endpoint decides by itself.',
        defaults.unhealthyThreshold,
      ),
    ),
    healthyThreshold: optional(
      threshold(
        'Checks, one after the other, that succeed before it is back.',
        defaults.healthyThreshold,
      ),
    ),
    jitterPercent: optional(
      integer({
        description: 'Intervals vary by so many percent, so that checks do not come all at once.',
        minimum: 0,
        maximum: 100,
        default: defaults.healthCheckJitter,
      }),
    ),
    port: optional(port('Port that is asked; that of the endpoint when left out.')),
  },
  {
    description:
      'Asks each endpoint whether it is well; each data plane does so by itself. An endpoint that is not ' +
      'gets no requests.',
    rules: [
      {
        rule: '(has(self.http) ? 1 : 0) + (has(self.tcp) ? 1 : 0) + (has(self.grpc) ? 1 : 0) == 1',
        message: 'exactly one of http, tcp and grpc must be given',
      },
    ],
  },
);

export type HealthCheck = Static<typeof healthCheck>;
