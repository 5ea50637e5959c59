import type { AuthenticationMethod } from '@gatehouse/crds';
import type { PolicyContext } from '../context.ts';
import { checkApiKey } from './api-key.ts';
import { checkBasic } from './basic.ts';
import { checkExternal } from './external.ts';
import { checkIntrospection } from './introspection.ts';
import { checkJwt } from './jwt.ts';
import { checkMtls } from './mtls.ts';
import { checkOidc } from './oidc.ts';

/** What the schema cannot say about a method. */
export function checkMethod(
  { jwt, apiKey, basic, introspection, external, mtls, oidc }: AuthenticationMethod,
  path: string,
  context: PolicyContext,
): void {
  if (jwt) checkJwt(jwt, `${path}.jwt`, context);
  if (apiKey) checkApiKey(apiKey, `${path}.apiKey`, context);
  if (basic) checkBasic(basic, `${path}.basic`, context);
  if (introspection) checkIntrospection(introspection, `${path}.introspection`, context);
  if (external) checkExternal(external, `${path}.external`, context);
  if (mtls) checkMtls(mtls, `${path}.mtls`, context);
  if (oidc) checkOidc(oidc, `${path}.oidc`, context);
}
