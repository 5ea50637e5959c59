import { hash } from 'node:crypto';
import type { Exchange } from '../../../exchange/exchange.ts';
import { now } from '../../../state/clock.ts';
import type { Identity } from '../../filter.ts';
import { createExpiringCache } from '../expiring-cache.ts';
import { identityOf } from '../identity.ts';
import type { Attempt, LinkMethod } from '../method.ts';
import { isNavigation, type Origin, originOf } from '../oidc/browser.ts';
import { linkClient } from '../oidc/client.ts';
import { cookieJar, cookiesOf, withoutCookies } from '../oidc/cookies.ts';
import { beginLogin, finishLogin } from '../oidc/login.ts';
import { endSession } from '../oidc/logout.ts';
import { createRenewal } from '../oidc/renewal.ts';
import { claimsIn, openSession, type Session } from '../oidc/session.ts';
import { isOwnCookie, removedPieces, sealedSession, sessionLines } from '../oidc/session-cookie.ts';
import { reasonOf, unavailable } from '../unavailable.ts';

/** Sessions that need not be opened again. */
const mostOpened = 10_000;

type Opened = { session: Session; identity: Identity };

/** Login of browsers at an OpenID provider. All state is in cookies: any data plane goes on with it. */
export const linkOidc: LinkMethod<'oidc'> = (config, context) => {
  const client = linkClient(config, context);
  const renew = createRenewal(client);
  const opened = createExpiringCache<Opened>(mostOpened);

  function open(sealed: string): Opened | undefined {
    const key = hash('sha256', sealed, 'base64');
    const known = opened.get(key, now());
    if (known) return known;
    const session = openSession(client.sessionSeal, sealed);
    if (!session || session.endsAt * 1000 <= Date.now()) return undefined;
    const found = openedAs(session);
    opened.set(key, found, now() + session.endsAt * 1000 - Date.now());
    return found;
  }

  function openedAs(session: Session): Opened {
    return { session, identity: identityOf(context.name, claimsIn(session)) };
  }

  function identified(exchange: Exchange, found: Opened, origin: Origin, lines = ''): Attempt {
    const { accessToken: value } = found.session;
    const own = isOwnCookie(client, cookieJar(origin.secure));
    return {
      kind: 'identified',
      identity: found.identity,
      // The browser sent no token: there is none to keep from the upstream.
      credential: { value, strip: () => undefined },
      responseFields: lines,
      ...withoutCookies(exchange.head, own),
    };
  }

  async function renewed(
    exchange: Exchange,
    { session }: Opened,
    origin: Origin,
  ): Promise<Attempt> {
    const jar = cookieJar(origin.secure);
    const given = cookiesOf(exchange.head);
    let next: Session | undefined;
    try {
      next = await renew(session);
    } catch (error) {
      return unavailable(`the session cannot be renewed: ${reasonOf(error)}`);
    }
    const lines = next && sessionLines(client, next, given, jar);
    if (!next || lines === undefined)
      return withoutSession(exchange, origin, 'the issuer has ended the session');
    return identified(exchange, openedAs(next), origin, lines);
  }

  /** @param ended why a session that the browser has does not count; undefined: it has none */
  function withoutSession(
    exchange: Exchange,
    origin: Origin,
    ended?: string,
  ): Attempt | Promise<Attempt> {
    if (client.redirectToLogin && isNavigation(exchange))
      return beginLogin(client, exchange, origin);
    return ended === undefined ? { kind: 'missing' } : { kind: 'invalid', reason: ended };
  }

  return {
    name: context.name,
    challenge: '',
    attempt(exchange) {
      const origin = originOf(exchange);
      if (!origin) return { kind: 'missing' };
      const { path } = exchange.head;
      const jar = cookieJar(origin.secure);
      const given = cookiesOf(exchange.head);
      const sealed = sealedSession(client, given, jar);
      const found = sealed === undefined ? undefined : open(sealed);
      if (path === client.redirectPath) {
        return finishLogin(client, exchange, origin, found !== undefined);
      }
      if (path === client.logoutPath) {
        return endSession(client, found?.session, removedPieces(client, given, jar));
      }
      if (!found) {
        const ended = sealed === undefined ? undefined : 'the session is over, or not ours';
        return withoutSession(exchange, origin, ended);
      }
      const { refreshAt } = found.session;
      if (refreshAt > 0 && refreshAt * 1000 <= Date.now()) return renewed(exchange, found, origin);
      return identified(exchange, found, origin);
    },
  };
};
