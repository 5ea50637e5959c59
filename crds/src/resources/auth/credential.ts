import { headerName } from '../../schema/fields.ts';
import { array, object, optional, type Static, string } from '../../schema/schema.ts';

const place = object(
  {
    header: optional(headerName('Header field that carries it.')),
    scheme: optional(
      string({
        description: 'Authentication scheme before it, any case, e.g. "Bearer" (RFC 9110 11.4).',
        minLength: 1,
        maxLength: 32,
        pattern: '^[A-Za-z0-9-]+$',
      }),
    ),
    cookie: optional(
      string({
        description: 'Cookie that carries it.',
        minLength: 1,
        maxLength: 256,
        pattern: "^[A-Za-z0-9!#$%&'*+\\-.^_`|~]+$",
      }),
    ),
    query: optional(
      string({ description: 'Query parameter that carries it.', minLength: 1, maxLength: 256 }),
    ),
  },
  {
    description: 'One place where a credential may be.',
    rules: [
      {
        rule: '[has(self.header), has(self.cookie), has(self.query)].filter(given, given).size() == 1',
        message: 'exactly one of header, cookie and query must be given',
      },
      { rule: '!has(self.scheme) || has(self.header)', message: 'scheme goes with header' },
    ],
  },
);

/** Where a credential is looked for, in order; the first place that has one counts. */
export const credentialPlaces = (description: string) =>
  array(place, { description, minItems: 1, maxItems: 8 });

export type CredentialPlace = Static<typeof place>;
