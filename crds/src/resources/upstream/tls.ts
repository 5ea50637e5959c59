import { objectName, secretKeyRef, subdomainPattern } from '../../schema/fields.ts';
import { object, optional, type Static, string } from '../../schema/schema.ts';

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
      secretKeyRef(
        'Authorities that are trusted, as PEM; the public ones that Node knows when left out.',
        'ca.crt',
      ),
    ),
    clientCertificateSecretRef: optional(
      object(
        {
          name: objectName(
            'Name of a Secret of type kubernetes.io/tls, in the namespace of the object.',
          ),
        },
        { description: 'What is shown to endpoints that ask for a client certificate.' },
      ),
    ),
  },
  {
    description:
      'TLS, 1.2 or 1.3, to the endpoints; their certificates are always verified. Left out: cleartext.',
  },
);

export type UpstreamTls = Static<typeof upstreamTls>;
