import {
  type AuthenticationMethod,
  type AuthPolicySpec,
  defaults,
  type IdentityFields,
} from '@gatehouse/crds';
import { checkAuthorization } from './auth/authorization.ts';
import { checkIdentity, isCredentialHeader } from './auth/identity.ts';
import { checkMethod } from './auth/methods.ts';
import type { DraftRule, PolicyDefinition } from './policy.ts';

type AuthFields = NonNullable<AuthPolicySpec['defaults']>;

const defaultHeaders = ['x-user-id', 'x-user-role'];

/** AuthPolicy: its blocks are authentication, authorization and identity. */
export const auth: PolicyDefinition<AuthFields> = {
  kind: 'AuthPolicy',
  failsClosed: true,
  closing: ['authentication'],
  whenScope: 'request',
  rulesOf({ authentication = [], authorization = [], identity }, path, context) {
    for (const [i, method] of authentication.entries()) {
      checkMethod(method, `${path}.authentication[${i}]`, context);
    }
    for (const [i, rule] of authorization.entries()) {
      checkAuthorization(rule, `${path}.authorization[${i}]`, context);
    }
    if (identity) checkIdentity(identity, `${path}.identity`, context);
    if (authentication.length + authorization.length === 0) {
      context.report(path, 'authentication or authorization must be given');
    }
    return [
      ...authentication.map((config) => ({ block: 'authentication', name: config.name, config })),
      ...authorization.map((config) => ({ block: 'authorization', name: config.name, config })),
      ...identityRules(identity ?? {}, authentication),
    ];
  },
  excludedPaths: ({ excludedPaths }) => excludedPaths ?? defaults.excludedPaths,
  guardedHeaders: ({ identity, authentication = [] }) => [
    ...defaultHeaders,
    ...(identity?.headers ?? []).map(({ name }) => name.toLowerCase()),
    ...authentication.flatMap(({ external }) =>
      (external?.upstreamHeaders ?? [])
        .map((name) => name.toLowerCase())
        // Clients log in with these; data planes replace them where the service sets them.
        .filter((name) => !isCredentialHeader(name)),
    ),
  ],
};

/** One rule a header, so that policies of different targets add to each other's. */
function identityRules(
  { defaultHeaders: wanted = true, headers = [], token, exchange }: IdentityFields,
  authentication: readonly AuthenticationMethod[],
): DraftRule[] {
  const rule = (name: string, config: IdentityFields) => ({ block: 'identity', name, config });
  const always = authentication.length > 0 || headers.length > 0;
  return [
    ...(always ? [rule('defaultHeaders', { defaultHeaders: wanted })] : []),
    ...headers.map((header) => rule(`headers/${header.name.toLowerCase()}`, { headers: [header] })),
    ...(token ? [rule('token', { token, ...(exchange ? { exchange } : {}) })] : []),
  ];
}
