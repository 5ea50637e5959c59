import { hash } from 'node:crypto';
import { now as clock } from '../../../state/clock.ts';
import { createExpiringCache } from '../expiring-cache.ts';
import type { OidcClient } from './client.ts';
import { BadIdToken, TokenRefused } from './provider.ts';
import { claimsIn, type Session, sessionOf } from './session.ts';

/** Renews sessions whose access token ends. Undefined: the provider has ended the session. */
export type Renew = (session: Session) => Promise<Session | undefined>;

/**
 * Milliseconds: requests of one page come with the old session even after one of them has renewed it,
 * and a refresh token is mostly good for one time only.
 */
const sharedFor = 60_000;
const mostShared = 4096;

export function createRenewal(client: OidcClient): Renew {
  const underWay = new Map<string, Promise<Session | undefined>>();
  const done = createExpiringCache<Session>(mostShared);

  async function renewed(session: Session): Promise<Session | undefined> {
    const { provider } = client;
    const form = { grant_type: 'refresh_token', refresh_token: session.refreshToken };
    try {
      const tokens = await provider.requestTokens(form);
      // RFC 6749 section 6: the old refresh token stays when there is no new one.
      const kept = { ...tokens, refreshToken: tokens.refreshToken || session.refreshToken };
      const idToken = tokens.idToken ?? session.idToken;
      if (tokens.idToken !== undefined) {
        const claims = await provider.verify(tokens.idToken, undefined);
        // OpenID Connect Core section 12.2.
        if (claims.sub !== claimsIn(session).sub) return undefined;
      }
      return sessionOf(kept, idToken, session.endsAt, Math.floor(Date.now() / 1000));
    } catch (error) {
      if (error instanceof TokenRefused || error instanceof BadIdToken) return undefined;
      throw error;
    }
  }

  return (session) => {
    // Providers may leave the refresh token as it is: the time tells the sessions apart.
    const key = hash('sha256', `${session.refreshAt}\n${session.refreshToken}`, 'base64');
    const known = done.get(key, clock());
    if (known) return Promise.resolve(known);
    const running = underWay.get(key);
    if (running) return running;
    const started = renewed(session)
      .then((next) => {
        if (next) done.set(key, next, clock() + sharedFor);
        return next;
      })
      .finally(() => underWay.delete(key));
    underWay.set(key, started);
    return started;
  };
}
