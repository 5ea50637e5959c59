import type { AuthenticationMethod } from '@gatehouse/crds';
import { type LinkContext, LinkFault, type RuleInForce } from '../filter.ts';
import type { LinkMethod, Method, MethodType } from './method.ts';
import { linkAnonymous } from './methods/anonymous.ts';
import { linkApiKey } from './methods/api-key.ts';
import { linkBasic } from './methods/basic.ts';
import { linkExternal } from './methods/external.ts';
import { linkIntrospection } from './methods/introspection.ts';
import { linkJwt } from './methods/jwt.ts';
import { linkMtls } from './methods/mtls.ts';
import { linkOidc } from './methods/oidc.ts';

/** Every type of authentication method. */
const methods: { readonly [T in MethodType]: LinkMethod<T> } = {
  jwt: linkJwt,
  apiKey: linkApiKey,
  basic: linkBasic,
  introspection: linkIntrospection,
  external: linkExternal,
  mtls: linkMtls,
  oidc: linkOidc,
  anonymous: linkAnonymous,
};

/** @throws LinkFault */
export function linkMethod(rule: RuleInForce, context: LinkContext): Method {
  const config = rule.config as AuthenticationMethod;
  const path = `authentication[${rule.name}]`;
  for (const type of Object.keys(methods) as MethodType[]) {
    const method = linkOf(type, config, rule, context);
    if (method) return method;
  }
  throw new LinkFault(path, 'has no type this release knows');
}

function linkOf<T extends MethodType>(
  type: T,
  config: AuthenticationMethod,
  rule: RuleInForce,
  context: LinkContext,
): Method | undefined {
  const own = config[type];
  if (own === undefined) return undefined;
  const path = `authentication[${rule.name}].${type}`;
  const namespace = rule.policy.slice(0, rule.policy.indexOf('/'));
  try {
    return methods[type](own as NonNullable<AuthenticationMethod[T]>, {
      ...context,
      name: rule.name,
      namespace,
      path,
    });
  } catch (error) {
    if (error instanceof LinkFault) throw new LinkFault(`${path}.${error.path}`, error.message);
    throw error;
  }
}
