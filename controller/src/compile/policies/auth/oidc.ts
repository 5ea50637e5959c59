import type { OidcMethod } from '@gatehouse/crds';
import { milliseconds } from '../../durations.ts';
import type { PolicyContext } from '../context.ts';
import { checkClient, checkUrl } from './remote-call.ts';

const shortestSecret = 32;
/** RFC 6749 section 3.3. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
/** Paths that no normalisation changes. */
const plainPath = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+)+$/;

/** What the schema cannot say about a login at an OpenID provider. */
export function checkOidc(config: OidcMethod, path: string, context: PolicyContext): void {
  const { report } = context;
  const issuer = checkUrl(config.issuer, `${path}.issuer`, context);
  if (issuer && issuer.search !== '') {
    report(
      `${path}.issuer`,
      'has a query, which no issuer has (OpenID Connect Discovery section 3)',
    );
  }
  checkClient(config, path, context);
  checkCookieSecret(config, path, context);
  const { redirectPath = '/oauth2/callback', logoutPath = '/oauth2/logout' } = config;
  for (const [field, value] of Object.entries({ redirectPath, logoutPath })) {
    if (plainPath.test(value)) continue;
    report(`${path}.${field}`, 'must be of plain segments: letters, digits, "-", ".", "_" and "~"');
  }
  if (redirectPath === logoutPath) {
    report(`${path}.logoutPath`, 'is redirectPath as well: give another');
  }
  for (const [i, scope] of (config.scopes ?? []).entries()) {
    if (scopeToken.test(scope)) continue;
    report(
      `${path}.scopes[${i}]`,
      'is no scope: visible ASCII without spaces, quotes and backslashes',
    );
  }
  const { sessionLifetime } = config;
  if (sessionLifetime === undefined) return;
  const lifetime = milliseconds(sessionLifetime, `${path}.sessionLifetime`, report);
  if (lifetime < 1000) report(`${path}.sessionLifetime`, 'must be at least 1s');
}

function checkCookieSecret(
  { cookieSecretRef: ref }: OidcMethod,
  path: string,
  context: PolicyContext,
) {
  const at = `${path}.cookieSecretRef`;
  const secret = context.secretEntry(ref, 'cookieSecret', at);
  if (!secret || secret.length >= shortestSecret) return;
  const entry = `entry "${ref.key ?? 'cookieSecret'}" of Secret "${context.namespace}/${ref.name}"`;
  const remedy = 'make one of random bytes, e.g. by "openssl rand -base64 48"';
  context.report(at, `${entry} is shorter than ${shortestSecret} bytes: ${remedy}`);
}
