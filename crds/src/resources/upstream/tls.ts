import { defaults } from '../../schema/defaults.ts';
import { namespace, objectName, subdomainPattern } from '../../schema/fields.ts';
import { object, oneOf, optional, type Static, string } from '../../schema/schema.ts';

const secretNamespace = namespace(
  'Namespace of the Secret, which needs a ReferenceGrant there; that of the Upstream when left out.',
);

/** How connections to the endpoints are secured. */
export const upstreamTls = object(
  {
    serverName: string({
      description:
        'Name that the certificate of an endpoint must have (RFC 9525), which is also asked for (SNI, RFC 6066 ' +
        'section 3). The Host of requests has no say.',
      minLength: 1,
      maxLength: 253,
      pattern: subdomainPattern,
    }),
    caSecretRef: optional(
      object(
        {
          name: objectName('Name of the Secret.'),
          namespace: optional(secretNamespace),
          key: optional(
            string({
              description: 'Entry of the Secret.',
              minLength: 1,
              maxLength: 253,
              default: 'ca.crt',
            }),
          ),
        },
        {
          description:
            'Authorities that are trusted, as PEM; the public ones that Node knows when left out.',
        },
      ),
    ),
    clientCertificateSecretRef: optional(
      object(
        {
          name: objectName('Name of a Secret of type kubernetes.io/tls.'),
          namespace: optional(secretNamespace),
        },
        { description: 'What is shown to endpoints that ask for a client certificate.' },
      ),
    ),
    minVersion: optional(
      oneOf(['1.2', '1.3'], {
        description: 'Oldest version of TLS that is spoken.',
        default: defaults.upstreamTlsVersion,
      }),
    ),
  },
  {
    description:
      'TLS to the endpoints; their certificates are always verified. Left out: cleartext.',
  },
);

export type UpstreamTls = Static<typeof upstreamTls>;
