import { expression, headerName, secretKeyRef, url } from '../../schema/fields.ts';
import {
  array,
  boolean,
  object,
  oneOf,
  optional,
  type Static,
  string,
} from '../../schema/schema.ts';

const identityHeader = object(
  {
    name: headerName('Name of the header that the upstream gets.'),
    expression: expression(
      'Its value: a string, a number or a list of strings over request, client, identity and claims.',
    ),
  },
  { description: 'A header that tells the upstream about the identity.' },
);

const exchange = object(
  {
    url: url('Token endpoint (RFC 8693).'),
    clientId: optional(
      string({ description: 'Client id at the server.', minLength: 1, maxLength: 1024 }),
    ),
    clientSecretRef: optional(secretKeyRef('Client secret, sent by HTTP Basic.', 'clientSecret')),
    audience: optional(
      string({ description: 'Audience of the new token.', minLength: 1, maxLength: 2048 }),
    ),
    scope: optional(
      string({ description: 'Scope of the new token.', minLength: 1, maxLength: 2048 }),
    ),
  },
  { description: 'Exchanges the token of the client for one for the upstream (RFC 8693).' },
);

export const identity = object(
  {
    defaultHeaders: optional(
      boolean({
        description: 'Whether X-User-ID (user_id or sub) and X-User-Role (role or roles) are sent.',
        default: true,
      }),
    ),
    headers: optional(
      array(identityHeader, {
        description: 'Further headers.',
        maxItems: 32,
        listMapKeys: ['name'],
      }),
    ),
    token: optional(
      oneOf(['Forward', 'Strip', 'Exchange'], {
        description: 'What becomes of the credential that the client sent.',
        default: 'Forward',
      }),
    ),
    exchange: optional(exchange),
  },
  {
    description: 'What the upstream learns. Clients cannot send these headers themselves.',
    rules: [
      {
        rule: "has(self.exchange) == (has(self.token) && self.token == 'Exchange')",
        message: 'exchange is needed for token Exchange, and must be left out otherwise',
      },
    ],
  },
);

export type IdentityFields = Static<typeof identity>;
