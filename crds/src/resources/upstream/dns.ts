import { defaults } from '../../schema/defaults.ts';
import { domainNamePattern, duration, nameServerPattern, port } from '../../schema/fields.ts';
import { array, object, oneOf, optional, type Static, string } from '../../schema/schema.ts';

/** Addresses of a name, and who is asked for them. */
export const dns = object(
  {
    name: string({
      description: 'Whole name, such as "users.internal" or "_http._tcp.users.internal".',
      minLength: 1,
      maxLength: 253,
      pattern: domainNamePattern,
    }),
    port: optional(port('TCP port of every address; SRV records tell it themselves.')),
    records: optional(
      oneOf(['Address', 'A', 'AAAA', 'SRV'], {
        description:
          'Which records are asked for. Address: A, and AAAA where there is no A. SRV: names with ports and ' +
          'weights; of several priorities the first that can be resolved.',
        default: defaults.dnsRecords,
      }),
    ),
    resolvers: optional(
      array(
        string({
          description:
            'Address of a name server, such as "10.0.0.10", "10.0.0.10:5353" or "[::1]:53".',
          minLength: 2,
          maxLength: 53,
          pattern: nameServerPattern,
        }),
        {
          description: 'Who is asked, in this order; the name servers of the system when left out.',
          minItems: 1,
          maxItems: 8,
        },
      ),
    ),
    minTtl: optional(
      duration(
        'Least time between two questions, whatever the records say; from "1s" to "1h".',
        defaults.dnsMinTtl,
      ),
    ),
    maxTtl: optional(
      duration('Most time between two questions; from minTtl to "24h".', defaults.dnsMaxTtl),
    ),
  },
  {
    description: 'Addresses of a name.',
    rules: [
      {
        rule: "(has(self.records) && self.records == 'SRV') != has(self.port)",
        message: 'port goes with all records but SRV, which tell it',
      },
    ],
  },
);

export type DnsEndpoints = Static<typeof dns>;
