import { defaults } from '../../schema/defaults.ts';
import { originPattern, secretKeyRef, wordPattern } from '../../schema/fields.ts';
import { array, object, optional, type Static, string } from '../../schema/schema.ts';

/** Instances of a service that Consul knows, and how Consul is reached. */
export const consul = object(
  {
    address: string({
      description:
        'HTTP address of a Consul agent or server, such as "http://127.0.0.1:8500" or "https://consul.example:8501".',
      minLength: 8,
      maxLength: 300,
      pattern: originPattern,
    }),
    service: string({
      description: 'Name of the service, as it is registered.',
      minLength: 1,
      maxLength: 255,
      pattern: wordPattern,
    }),
    datacenter: optional(
      string({
        description: 'Datacenter that is asked; that of the agent when left out.',
        minLength: 1,
        maxLength: 64,
        pattern: '^[A-Za-z0-9_-]+$',
      }),
    ),
    tags: optional(
      array(string({ description: 'A tag.', minLength: 1, maxLength: 255 }), {
        description: 'Tags that an instance must have, all of them.',
        minItems: 1,
        maxItems: 16,
      }),
    ),
    zoneMeta: optional(
      string({
        description: 'Key of the metadata of a node under which its zone stands.',
        minLength: 1,
        maxLength: 128,
        default: defaults.consulZoneMeta,
      }),
    ),
    tokenSecretRef: optional(secretKeyRef('ACL token; none when left out.', 'token')),
    tls: optional(
      object(
        {
          caSecretRef: optional(
            secretKeyRef('Authorities, as PEM; those of the system when left out.', 'ca.crt'),
          ),
          serverName: optional(
            string({ description: 'Name in its certificate.', minLength: 1, maxLength: 253 }),
          ),
        },
        { description: 'How the certificate of Consul is judged, with an https address.' },
      ),
    ),
  },
  {
    description: 'Instances of a service of Consul that pass their checks.',
    rules: [
      {
        rule: "!has(self.tls) || self.address.startsWith('https://')",
        message: 'tls goes with an address that begins with https://',
      },
    ],
  },
);

export type ConsulEndpoints = Static<typeof consul>;
