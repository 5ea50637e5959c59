import { defaults } from '../../schema/defaults.ts';
import { duration, headerName, path, secretKeyRef, url } from '../../schema/fields.ts';
import {
  array,
  boolean,
  object,
  oneOf,
  optional,
  type Static,
  string,
} from '../../schema/schema.ts';
import { credentialPlaces } from './credential.ts';

const clientId = string({
  description: 'Client id at the server.',
  minLength: 1,
  maxLength: 1024,
});

export const introspection = object(
  {
    url: url('Introspection endpoint (RFC 7662).'),
    clientId: optional(clientId),
    clientSecretRef: optional(secretKeyRef('Client secret, sent by HTTP Basic.', 'clientSecret')),
    from: optional(credentialPlaces('Where the token is; "Authorization: Bearer" when left out.')),
    cache: optional(
      duration('How long an answer is used again, at most until exp.', defaults.introspectionCache),
    ),
    timeout: optional(duration('Limit for one call.', defaults.externalTimeout)),
  },
  { description: 'A token that its issuer is asked about (RFC 7662).' },
);

export const external = object(
  {
    protocol: optional(
      oneOf(['HTTP', 'GRPC'], {
        description:
          'HTTP: the head of the request is sent, 2xx allows. GRPC: envoy.service.auth.v3.Authorization.',
        default: 'HTTP',
      }),
    ),
    url: url('Where the service is; with HTTP the path of the request is appended.'),
    requestHeaders: optional(
      array(headerName('Name of a header.'), {
        description: 'Headers that are sent, with HTTP; Authorization and Cookie when left out.',
        maxItems: 64,
      }),
    ),
    upstreamHeaders: optional(
      array(headerName('Name of a header.'), {
        description: 'Headers of its answer that the upstream gets.',
        maxItems: 64,
      }),
    ),
    timeout: optional(duration('Limit for one call.', defaults.externalTimeout)),
    failureMode: optional(
      oneOf(['Closed', 'Open'], {
        description: 'What happens when it cannot be asked: refuse with 503, or let pass.',
        default: 'Closed',
      }),
    ),
  },
  { description: 'A service that decides about each request.' },
);

export const oidc = object(
  {
    issuer: url('Issuer; its discovery document must be reachable (OpenID Connect Discovery).'),
    clientId,
    clientSecretRef: optional(
      secretKeyRef('Client secret; none for a public client.', 'clientSecret'),
    ),
    cookieSecretRef: secretKeyRef(
      'At least 32 bytes by which the session cookie is encrypted.',
      'cookieSecret',
    ),
    scopes: optional(
      array(string({ description: 'A scope.', minLength: 1, maxLength: 256 }), {
        description: 'Scopes beside openid.',
        maxItems: 32,
      }),
    ),
    redirectPath: optional(
      path('Path that the issuer sends the browser back to.', '/oauth2/callback'),
    ),
    logoutPath: optional(path('Path that ends the session.', '/oauth2/logout')),
    cookieName: optional(
      string({
        description: 'Name of the session cookie.',
        minLength: 1,
        maxLength: 64,
        pattern: '^[A-Za-z0-9_-]+$',
        default: 'gatehouse-session',
      }),
    ),
    sessionLifetime: optional(
      duration('After it a new login is needed.', defaults.sessionLifetime),
    ),
    redirectToLogin: optional(
      boolean({
        description: 'Whether a browser without a session is sent to the issuer; 401 otherwise.',
        default: true,
      }),
    ),
  },
  { description: 'Login of browsers at an OpenID provider, with PKCE (RFC 7636).' },
);

export type IntrospectionMethod = Static<typeof introspection>;
export type ExternalMethod = Static<typeof external>;
export type OidcMethod = Static<typeof oidc>;
