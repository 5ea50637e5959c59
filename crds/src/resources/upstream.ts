import { defaults } from '../schema/defaults.ts';
import { addressPattern, duration, name, namespace, objectName, port } from '../schema/fields.ts';
import { array, integer, object, oneOf, optional, type Static, string } from '../schema/schema.ts';
import { balancing } from './upstream/balancing.ts';
import { circuitBreaker } from './upstream/circuit-breaker.ts';
import { consul } from './upstream/consul.ts';
import { dns } from './upstream/dns.ts';
import { healthCheck } from './upstream/health-check.ts';
import { outlierDetection } from './upstream/outlier-detection.ts';
import { pool } from './upstream/pool.ts';
import { upstreamTls } from './upstream/tls.ts';

const staticEndpoint = object(
  {
    address: string({
      description: 'IPv4 or IPv6 address.',
      minLength: 2,
      maxLength: 45,
      pattern: addressPattern,
    }),
    port: port('TCP port.'),
    weight: optional(
      integer({
        description: 'Share of the requests, relative to the other endpoints.',
        minimum: 1,
        maximum: 1000,
        default: defaults.endpointWeight,
      }),
    ),
    zone: optional(name('Zone of the endpoint.')),
  },
  { description: 'One address of the upstream.' },
);

export const upstreamSpec = object(
  {
    endpoints: object(
      {
        static: optional(
          array(staticEndpoint, { description: 'A fixed list.', minItems: 1, maxItems: 1000 }),
        ),
        service: optional(
          object(
            {
              name: objectName('Name of the Service.'),
              namespace: optional(namespace('Namespace; that of the Upstream when left out.')),
              port: optional(port('Port of the Service; needed unless it has just one.')),
            },
            { description: 'The ready endpoints of a Service.' },
          ),
        ),
        consul: optional(consul),
        dns: optional(dns),
      },
      {
        description: 'Where the endpoints come from.',
        rules: [
          {
            rule: '[has(self.static), has(self.service), has(self.consul), has(self.dns)].filter(given, given).size() == 1',
            message: 'exactly one of static, service, consul and dns must be given',
          },
        ],
      },
    ),
    protocol: optional(
      oneOf(['HTTP1', 'HTTP2'], {
        description:
          'HTTP1 is HTTP/1.1. HTTP2, which gRPC needs, carries many requests on one connection; without TLS ' +
          'it is spoken by prior knowledge (h2c).',
        default: 'HTTP1',
      }),
    ),
    tls: optional(upstreamTls),
    balancing: optional(balancing),
    circuitBreaker: optional(circuitBreaker),
    outlierDetection: optional(outlierDetection),
    healthCheck: optional(healthCheck),
    connectTimeout: optional(duration('Limit for opening a connection.', defaults.connectTimeout)),
    pool: optional(pool),
  },
  { description: 'A group of endpoints that do the same job, and how to talk to them.' },
);

export type UpstreamSpec = Static<typeof upstreamSpec>;
