import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

/** A real OpenID provider where whoever comes is logged in as `user`, without a form. */
export type RealProvider = {
  issuer: string;
  /** Who logs in next; '' refuses the login. */
  user: string;
  /** Requests by path. */
  asked: Record<string, number>;
  close(): Promise<void>;
};

export const client = { id: 'gate way', secret: 'client secret: 32 bytes at least!' };

/** @param accessTokenLifetime seconds */
export async function startRealProvider(
  redirectUris: string[],
  accessTokenLifetime: number,
): Promise<RealProvider> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: redirectUris,
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: 'first', alg: 'RS256', use: 'sig' }] },
    cookies: { keys: ['of the test'] },
    claims: { openid: ['sub', 'roles'], profile: ['name'] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: () => true,
    ttl: {
      AccessToken: accessTokenLifetime,
      IdToken: 300,
      RefreshToken: 600,
      Session: 600,
      Interaction: 600,
      Grant: 600,
    },
    features: { devInteractions: { enabled: false } },
    interactions: { url: () => '/interaction' },
    findAccount: (_: unknown, accountId: string) => ({
      accountId,
      claims: () => ({ sub: accountId, roles: ['editor'], name: 'x'.repeat(4000) }),
    }),
    loadExistingGrant: async (context: GrantContext) => {
      const { client: known, session, provider: own } = context.oidc;
      const grant = new own.Grant({ clientId: known.clientId, accountId: session.accountId });
      grant.addOIDCScope('openid profile');
      await grant.save();
      return grant;
    },
  });
  const answer = provider.callback();
  const running: RealProvider = {
    issuer,
    user: 'alice',
    asked: {},
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  server.on('request', (request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    running.asked[path] = (running.asked[path] ?? 0) + 1;
    if (path !== '/interaction') return answer(request, response);
    const result =
      running.user === ''
        ? { error: 'access_denied' }
        : { login: { accountId: running.user, remember: false } };
    void provider.interactionFinished(request, response, result);
  });
  return running;
}

type GrantContext = {
  oidc: {
    client: { clientId: string };
    session: { accountId: string };
    provider: {
      Grant: new (of: object) => { addOIDCScope(scope: string): void; save(): Promise<string> };
    };
  };
};
