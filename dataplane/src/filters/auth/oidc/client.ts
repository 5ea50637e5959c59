import { defaults, type OidcMethod, parseDuration } from '@gatehouse/crds';
import { policySecretName } from '@gatehouse/snapshot';
import { LinkFault } from '../../filter.ts';
import { secretText } from '../client-credentials.ts';
import type { MethodContext } from '../method.ts';
import { createProvider, type Provider } from './provider.ts';
import { createSeal, type Seal } from './seal.ts';

/** An oidc method as its parts see it. */
export type OidcClient = {
  clientId: string;
  issuer: string;
  provider: Provider;
  /** Space-separated, "openid" among them. */
  scope: string;
  redirectPath: string;
  logoutPath: string;
  redirectToLogin: boolean;
  /** Name of the session cookie, without prefix. */
  cookieName: string;
  /** Seconds. */
  lifetime: number;
  sessionSeal: Seal;
  loginSeal: Seal;
};

const shortestSecret = 32;

/** @throws LinkFault */
export function linkClient(config: OidcMethod, context: MethodContext): OidcClient {
  const { issuer, clientId, clientSecretRef: ref } = config;
  const clientSecret = ref && secretText(ref, 'clientSecret', 'clientSecretRef', context);
  const secret = cookieSecret(config, context);
  const sealFor = (use: string) =>
    createSeal(secret, `gatehouse oidc ${use}\n${issuer}\n${clientId}`);
  return {
    clientId,
    issuer,
    provider: createProvider({ issuer, clientId, clientSecret }, context.thread.outbound),
    scope: [...new Set(['openid', ...(config.scopes ?? [])])].join(' '),
    redirectPath: config.redirectPath ?? '/oauth2/callback',
    logoutPath: config.logoutPath ?? '/oauth2/logout',
    redirectToLogin: config.redirectToLogin ?? true,
    cookieName: config.cookieName ?? 'gatehouse-session',
    lifetime: Math.floor(parseDuration(config.sessionLifetime ?? defaults.sessionLifetime) / 1000),
    sessionSeal: sealFor('session'),
    loginSeal: sealFor('login'),
  };
}

function cookieSecret({ cookieSecretRef }: OidcMethod, context: MethodContext): Uint8Array {
  const { name, key = 'cookieSecret' } = cookieSecretRef;
  const secret = context.secret(policySecretName(context.namespace, name, key))?.[key];
  if (!secret) throw new LinkFault('cookieSecretRef', 'is not in the snapshot');
  if (secret.length < shortestSecret) {
    throw new LinkFault('cookieSecretRef', `is shorter than ${shortestSecret} bytes`);
  }
  return secret;
}
