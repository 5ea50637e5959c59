import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { now } from '../../../state/clock.ts';
import { type Outbound, placeOf } from '../../outbound.ts';
import { clientCredentials } from '../client-credentials.ts';
import { mostAnswerBytes, postForm } from '../token-endpoint.ts';
import { createTurns } from '../turns.ts';
import { fetchJson } from './fetch-json.ts';
import { type Metadata, metadataOf } from './metadata.ts';
import { createRefreshed } from './refreshed.ts';

/** Milliseconds for one question to the provider. */
const timeout = 5000;
/** Milliseconds: how long what the provider publishes is used again, and how soon after a failure it is asked. */
const metadataTiming = { good: 3_600_000, retry: 2000 };
const keysTiming = { good: 600_000, retry: 2000 };
/** Milliseconds between two looks for a key that is not there. */
const unknownKeyFloor = 10_000;
/** Token requests at the same time, and those that wait. */
const limits = { running: 16, waiting: 256 };

/** RFC 7518 and RFC 8037, asymmetric ones: nobody but the issuer can sign. */
const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

export type Tokens = {
  idToken: string | undefined;
  accessToken: string;
  /** '' when there is none. */
  refreshToken: string;
  /** Seconds; undefined when the provider does not say. */
  expiresIn: number | undefined;
};

/** The provider says no: the code, or the refresh token, is not good (RFC 6749 section 5.2). */
export class TokenRefused extends Error {}

/** An ID token that does not count, whatever is tried again. */
export class BadIdToken extends Error {}

/** An OpenID provider, as one client of it sees it. */
export type Provider = {
  metadata(): Promise<Metadata>;
  /** @throws TokenRefused; Error when the provider does not answer as it should */
  requestTokens(form: Record<string, string>): Promise<Tokens>;
  /**
   * Claims of an ID token (OpenID Connect Core section 3.1.3.7).
   * @param nonce undefined: not compared
   * @throws BadIdToken; Error when the keys cannot be had
   */
  verify(idToken: string, nonce: string | undefined): Promise<JWTPayload>;
};

export type ProviderConfig = { issuer: string; clientId: string; clientSecret: string | undefined };

export function createProvider(config: ProviderConfig, outbound: Outbound): Provider {
  const { issuer, clientId, clientSecret } = config;
  const ask = (url: string) => fetchJson(outbound, placeOf(url), timeout, mostAnswerBytes);
  const metadata = createRefreshed(metadataTiming, async () => {
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    return metadataOf(await ask(url), issuer);
  });
  const keys = createRefreshed(keysTiming, async () => {
    const { jwksUri } = await metadata.get();
    const set = (await ask(jwksUri)) as unknown as JSONWebKeySet;
    try {
      return createLocalJWKSet(set);
    } catch {
      throw new Error('the answer of jwks_uri is no key set');
    }
  });
  const turns = createTurns(limits);
  let lookedAgain = Number.NEGATIVE_INFINITY;

  async function verified(idToken: string): Promise<JWTPayload> {
    const options = {
      issuer,
      audience: clientId,
      algorithms,
      clockTolerance: 30,
      requiredClaims: ['sub', 'iat', 'exp'],
    };
    try {
      return (await jwtVerify(idToken, await keys.get(), options)).payload;
    } catch (error) {
      const again = error instanceof errors.JWKSNoMatchingKey;
      if (!again || now() < lookedAgain + unknownKeyFloor) throw error;
      lookedAgain = now();
      return (await jwtVerify(idToken, await keys.renew(), options)).payload;
    }
  }

  return {
    metadata: () => metadata.get(),

    async requestTokens(form) {
      const { tokenEndpoint, secretInForm } = await metadata.get();
      const credentials =
        secretInForm && clientSecret !== undefined
          ? { headers: {}, form: { client_id: clientId, client_secret: clientSecret } }
          : clientCredentials(clientId, clientSecret);
      const asked = turns.take(() => postForm(outbound, tokenEndpoint, credentials, form, timeout));
      if (!asked) throw new Error('too many token requests wait');
      const { status, json } = await asked;
      if (status === 400 || status === 401) throw new TokenRefused(refusalIn(json));
      if (status !== 200) throw new Error(`the answer is ${status}`);
      return tokensOf(json);
    },

    async verify(idToken, nonce) {
      const claims = await verified(idToken).catch((error: unknown) => {
        throw error instanceof errors.JOSEError ? new BadIdToken(error.message) : error;
      });
      const { aud, azp } = claims;
      // Several audiences: it must be for us (section 3.1.3.7, 4 and 5).
      if ((Array.isArray(aud) && aud.length > 1) || azp !== undefined) {
        if (azp !== clientId) throw new BadIdToken('it is for another client (azp)');
      }
      if (nonce !== undefined && claims.nonce !== nonce) {
        throw new BadIdToken('it is of another login (nonce)');
      }
      return claims;
    },
  };
}

/** The error code, which is safe to log when it is one. */
function refusalIn({ error }: Record<string, unknown>): string {
  return safeCode(error);
}

export function safeCode(code: unknown): string {
  return typeof code === 'string' && /^[a-z_]{1,64}$/.test(code) ? code : 'an unknown error';
}

function tokensOf(json: Record<string, unknown>): Tokens {
  const text = (name: string) => (typeof json[name] === 'string' ? json[name] : '');
  const accessToken = text('access_token');
  if (accessToken === '') throw new Error('the answer has no access_token');
  const seconds = Number(json.expires_in);
  return {
    accessToken,
    idToken: text('id_token') || undefined,
    refreshToken: text('refresh_token'),
    expiresIn: Number.isFinite(seconds) && seconds > 0 ? seconds : undefined,
  };
}
