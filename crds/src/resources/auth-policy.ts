import { defaults } from '../schema/defaults.ts';
import { name } from '../schema/fields.ts';
import { policySpec } from '../schema/policy.ts';
import { array, object, optional, type Static, string } from '../schema/schema.ts';
import { authorizationRule } from './auth/authorization.ts';
import { identity } from './auth/identity.ts';
import { jwt } from './auth/jwt.ts';
import { apiKey, basic, mtls } from './auth/keys.ts';
import { external, introspection, oidc } from './auth/remote.ts';

const methods = {
  jwt: optional(jwt),
  apiKey: optional(apiKey),
  basic: optional(basic),
  introspection: optional(introspection),
  external: optional(external),
  mtls: optional(mtls),
  oidc: optional(oidc),
  anonymous: optional(object({}, { description: 'Everybody, without an identity.' })),
};
const given = Object.keys(methods).map((method) => `has(self.${method})`);

export const authenticationMethod = object(
  {
    name: name('Unique in the policy; policies on other targets refer to it.'),
    ...methods,
  },
  {
    description: 'One way to tell who the client is.',
    rules: [
      {
        rule: `[${given.join(', ')}].filter(given, given).size() == 1`,
        message: `exactly one of ${Object.keys(methods).join(', ')} must be given`,
      },
    ],
  },
);

const fields = {
  excludedPaths: optional(
    array(
      string({
        description: 'A normalised path; one that ends in "/*" stands for everything below it.',
        minLength: 1,
        maxLength: 1024,
        pattern: '^/[^?#\\x00-\\x20\\x7f]*$',
      }),
      {
        description: `Paths that the policy leaves alone; ${defaults.excludedPaths.join(' and ')} when left out.`,
        maxItems: 64,
      },
    ),
  ),
  authentication: optional(
    array(authenticationMethod, {
      description: 'Methods, tried in order: the first for which the client brings a credential.',
      minItems: 1,
      maxItems: 16,
      listMapKeys: ['name'],
    }),
  ),
  authorization: optional(
    array(authorizationRule, {
      description: 'Rules, all must hold.',
      minItems: 1,
      maxItems: 32,
      listMapKeys: ['name'],
    }),
  ),
  identity: optional(identity),
};

export const authPolicySpec = policySpec(
  fields,
  'Who may send requests, and what upstreams learn about them.',
);

export type AuthPolicySpec = Static<typeof authPolicySpec>;
export type AuthenticationMethod = Static<typeof authenticationMethod>;
