import { defaults } from '../../schema/defaults.ts';
import { duration, secretKeyRef, url } from '../../schema/fields.ts';
import { array, object, oneOf, optional, type Static, string } from '../../schema/schema.ts';
import { credentialPlaces } from './credential.ts';

/** Asymmetric algorithms of RFC 7518 and RFC 8037, then the symmetric ones. */
export const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'HS256',
  'HS384',
  'HS512',
] as const;

const remoteKeys = object(
  {
    url: url('Where the JSON Web Key Set is (RFC 7517). Redirects are not followed.'),
    refresh: optional(
      duration(
        'How often it is fetched, 10s at least; sooner for an unknown kid.',
        defaults.jwksRefresh,
      ),
    ),
    timeout: optional(duration('Limit for one fetch, 60s at most.', defaults.jwksTimeout)),
  },
  { description: 'Keys that the issuer publishes. The last good set survives an outage.' },
);

const issuer = object(
  {
    issuer: optional(
      string({
        description:
          'What the claim iss must be; not checked when left out. Several issuers need different ones.',
        minLength: 1,
        maxLength: 2048,
      }),
    ),
    audiences: optional(
      array(string({ description: 'An audience.', minLength: 1, maxLength: 2048 }), {
        description: 'The claim aud must hold one of them; not checked when left out.',
        minItems: 1,
        maxItems: 32,
      }),
    ),
    algorithms: optional(
      array(oneOf(algorithms, { description: 'Name of an algorithm (RFC 7518).' }), {
        description: 'Algorithms that are accepted; those that fit the type of the key otherwise.',
        minItems: 1,
        maxItems: 13,
      }),
    ),
    jwks: optional(remoteKeys),
    inline: optional(
      string({
        description: 'A JSON Web Key Set as text, public keys only.',
        minLength: 2,
        maxLength: 65536,
      }),
    ),
    secretRef: optional(secretKeyRef('A secret for HS256, HS384 or HS512.', 'secret')),
  },
  {
    description: 'Who signs tokens, and the keys for it.',
    rules: [
      {
        rule: '[has(self.jwks), has(self.inline), has(self.secretRef)].filter(given, given).size() == 1',
        message: 'exactly one of jwks, inline and secretRef must be given',
      },
    ],
  },
);

const requiredClaim = object(
  {
    name: string({
      description: 'Name of the claim; "a.b" looks into objects.',
      minLength: 1,
      maxLength: 256,
    }),
    values: optional(
      array(string({ description: 'A value.', maxLength: 1024 }), {
        description: 'One of them must be there; any value when left out.',
        minItems: 1,
        maxItems: 64,
      }),
    ),
  },
  { description: 'A claim that a token must have.' },
);

export const jwt = object(
  {
    issuers: array(issuer, { description: 'Issuers.', minItems: 1, maxItems: 16 }),
    from: optional(
      credentialPlaces('Where the token is; "Authorization: Bearer" when left out (RFC 6750).'),
    ),
    requiredClaims: optional(
      array(requiredClaim, { description: 'Claims that a token must have.', maxItems: 32 }),
    ),
    clockSkew: optional(
      duration(
        'Tolerance for exp, nbf and iat, 10m at most (RFC 7519 section 4.1.4).',
        defaults.clockSkew,
      ),
    ),
  },
  { description: 'A signed JSON Web Token (RFC 7519, RFC 8725).' },
);

export type JwtMethod = Static<typeof jwt>;
export type JwtIssuer = JwtMethod['issuers'][number];
