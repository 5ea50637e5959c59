import { objectName, secretKeyRef } from '../../schema/fields.ts';
import { array, boolean, object, optional, type Static, string } from '../../schema/schema.ts';
import { credentialPlaces } from './credential.ts';

export const apiKey = object(
  {
    from: optional(credentialPlaces('Where the key is; header X-API-Key when left out.')),
    secretRefs: optional(
      array(
        object(
          { name: objectName('Name of the Secret, in the namespace of the policy.') },
          { description: 'A Secret.' },
        ),
        {
          description: 'Secrets; each entry is the key of the user that the entry is named for.',
          minItems: 1,
          maxItems: 64,
        },
      ),
    ),
    consumers: optional(
      boolean({
        description: 'Whether the keys of the Consumers in the namespace of the policy count.',
        default: false,
      }),
    ),
  },
  {
    description: 'A key that the client sends.',
    rules: [
      {
        rule: 'has(self.secretRefs) || (has(self.consumers) && self.consumers)',
        message: 'secretRefs or consumers must be given',
      },
    ],
  },
);

export const basic = object(
  {
    realm: optional(
      string({
        description: 'Realm of the challenge.',
        minLength: 1,
        maxLength: 256,
        pattern: '^[\\x20-\\x21\\x23-\\x5b\\x5d-\\x7e]*$',
        default: 'gatehouse',
      }),
    ),
    secretRef: secretKeyRef(
      'Lines "user:hash" as htpasswd writes them: bcrypt, argon2id, {SHA} or {SSHA}.',
      'auth',
    ),
  },
  { description: 'User and password (RFC 7617).' },
);

export const mtls = object(
  {
    caSecretRef: secretKeyRef(
      'Certificates of the authorities that are trusted, as PEM.',
      'ca.crt',
    ),
    subjectAltNames: optional(
      array(
        string({
          description: 'A DNS name, URI or e-mail address.',
          minLength: 1,
          maxLength: 2048,
        }),
        {
          description: 'The certificate must carry one of them; any when left out.',
          minItems: 1,
          maxItems: 64,
        },
      ),
    ),
  },
  { description: 'A client certificate, on HTTPS listeners.' },
);

export type ApiKeyMethod = Static<typeof apiKey>;
export type BasicMethod = Static<typeof basic>;
export type MtlsMethod = Static<typeof mtls>;
