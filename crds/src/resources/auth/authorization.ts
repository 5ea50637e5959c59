import { cidrPattern, expression, name } from '../../schema/fields.ts';
import { array, object, optional, type Static, string } from '../../schema/schema.ts';

const texts = (description: string, each: string) =>
  array(string({ description: each, minLength: 1, maxLength: 1024 }), {
    description,
    minItems: 1,
    maxItems: 64,
  });

const ranges = (description: string) =>
  array(
    string({
      description: 'An address or a range.',
      minLength: 2,
      maxLength: 49,
      pattern: cidrPattern,
    }),
    { description, minItems: 1, maxItems: 256 },
  );

const claim = object(
  {
    name: string({
      description: 'Name of the claim; "a.b" looks into objects.',
      minLength: 1,
      maxLength: 256,
    }),
    values: texts('The claim must be, or hold, one of them.', 'A value.'),
  },
  { description: 'A condition on a claim.' },
);

export const authorizationRule = object(
  {
    name: name('Unique in the policy; policies on other targets refer to it.'),
    expression: optional(expression('A bool over request, client, identity and claims.')),
    claims: optional(
      array(claim, {
        description: 'Conditions on claims, all must hold.',
        minItems: 1,
        maxItems: 32,
      }),
    ),
    roles: optional(texts('The identity must have one of them.', 'A role.')),
    scopes: optional(texts('The identity must have all of them.', 'A scope.')),
    addresses: optional(
      object(
        {
          allow: optional(ranges('The address of the client must be in one of them.')),
          deny: optional(ranges('The address of the client must be in none of them.')),
        },
        {
          description: 'Conditions on the address of the client, trusted hops respected.',
          rules: [
            {
              rule: 'has(self.allow) || has(self.deny)',
              message: 'allow or deny must be given',
            },
          ],
        },
      ),
    ),
  },
  {
    description: 'All given conditions must hold, otherwise the answer is 403.',
    rules: [
      {
        rule: 'has(self.expression) || has(self.claims) || has(self.roles) || has(self.scopes) || has(self.addresses)',
        message: 'at least one of expression, claims, roles, scopes and addresses must be given',
      },
    ],
  },
);

export type AuthorizationRule = Static<typeof authorizationRule>;
