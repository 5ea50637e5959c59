import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Exchange } from '../../../exchange/exchange.ts';
import { errorReply, type Reply } from '../../../http1/reply.ts';
import type { Attempt } from '../method.ts';
import { reasonOf, unavailable } from '../unavailable.ts';
import { localTarget, type Origin, returnTarget } from './browser.ts';
import type { OidcClient } from './client.ts';
import { type CookieJar, cookieJar, cookiesOf } from './cookies.ts';
import { BadIdToken, safeCode, TokenRefused } from './provider.ts';
import { type Session, sessionOf } from './session.ts';
import { sessionLines } from './session-cookie.ts';

/** Seconds that a login may take. */
const loginLifetime = 600;
/** Logins of a browser at the same time; beginning one more gives up those before. */
const mostLogins = 5;

/** What a browser keeps while its user is at the provider. */
type Login = { state: string; verifier: string; nonce: string; target: string; begun: number };

const secret = () => randomBytes(32).toString('base64url');
const seconds = () => Math.floor(Date.now() / 1000);

export function redirectReply(location: string, fields: string): Reply {
  const lines = `location: ${location}\r\ncache-control: no-store\r\n${fields}`;
  return { status: 302, body: Buffer.alloc(0), fields: lines };
}

/** Each login has a cookie of its own, found by its state: tabs do not disturb each other. */
const loginName = ({ cookieName }: OidcClient, state: string) =>
  `${cookieName}-login-${state.slice(0, 8)}`;

/** Sends the browser to the provider (OpenID Connect Core section 3.1.2.1, RFC 7636). */
export async function beginLogin(
  client: OidcClient,
  exchange: Exchange,
  origin: Origin,
): Promise<Attempt> {
  const jar = cookieJar(origin.secure);
  const [target, given] = [returnTarget(exchange), cookiesOf(exchange.head)];
  const login: Login = {
    state: secret(),
    verifier: secret(),
    nonce: secret(),
    target,
    begun: seconds(),
  };
  let url: URL;
  try {
    url = new URL((await client.provider.metadata()).authorizationEndpoint);
  } catch (error) {
    return unavailable(`the provider is not known: ${reasonOf(error)}`);
  }
  const parameters = {
    response_type: 'code',
    client_id: client.clientId,
    redirect_uri: origin.text + client.redirectPath,
    scope: client.scope,
    state: login.state,
    nonce: login.nonce,
    code_challenge: hash('sha256', login.verifier, 'base64url'),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const cookie = jar.line(
    loginName(client, login.state),
    client.loginSeal.seal(login),
    loginLifetime,
  );
  const reply = redirectReply(url.href, endedLogins(client, given, jar) + cookie);
  return { kind: 'answered', reply, reason: 'sent to the login' };
}

function endedLogins(
  { cookieName }: OidcClient,
  given: ReadonlyMap<string, string>,
  jar: CookieJar,
): string {
  const prefix = jar.nameOf(`${cookieName}-login-`);
  const others = [...given.keys()].filter((name) => name.startsWith(prefix));
  if (others.length < mostLogins) return '';
  const bare = others.map((name) => cookieName + name.slice(jar.nameOf(cookieName).length));
  return bare.map((name) => jar.line(name, '', 0)).join('');
}

/** What the provider sent the browser back with. */
type Answer = {
  state: string;
  code: string;
  error: string | undefined;
  issuer: string | undefined;
};

/** Undefined when a parameter is there twice (RFC 6749 section 3.1). */
function answerIn(query: string): Answer | undefined {
  const parameters = new URLSearchParams(query);
  const names = ['state', 'code', 'error', 'iss'] as const;
  if (names.some((name) => parameters.getAll(name).length > 1)) return undefined;
  const [state, code, error, issuer] = names.map((name) => parameters.get(name) ?? undefined);
  return { state: state ?? '', code: code ?? '', error, issuer };
}

/** Takes the browser back from the provider. `loggedIn`: it has a session already. */
export async function finishLogin(
  client: OidcClient,
  { head }: Exchange,
  origin: Origin,
  loggedIn: boolean,
): Promise<Attempt> {
  const jar = cookieJar(origin.secure);
  const given = cookiesOf(head);
  if (head.method !== 'GET')
    return failed(400, 'the answer of the provider came by another method');
  const answer = answerIn(head.query);
  if (!answer) return failed(400, 'the answer of the provider has a parameter twice');
  const name = loginName(client, answer.state);
  const login = loginIn(client, given.get(jar.nameOf(name)), answer.state);
  if (!login) {
    // Somebody went back to the address of a login that is over.
    const home = redirectReply('/', '');
    if (loggedIn) return { kind: 'answered', reply: home, reason: 'the login is over already' };
    return failed(400, 'there is no login of this state in the browser, or it took too long');
  }
  const ended = jar.line(name, '', 0);
  try {
    const session = await sessionFor(client, origin, login, answer);
    const lines = sessionLines(client, session, given, jar);
    if (lines === undefined) return failed(403, 'the tokens are too large for cookies', ended);
    const reply = redirectReply(localTarget(login.target), lines + ended);
    return { kind: 'answered', reply, reason: 'logged in' };
  } catch (error) {
    if (error instanceof Refused) return failed(403, error.message, ended);
    return unavailable(`the login cannot be finished: ${reasonOf(error)}`);
  }
}

/** The login does not count, whatever is tried again. */
class Refused extends Error {}

async function sessionFor(
  { issuer, lifetime, provider, redirectPath }: OidcClient,
  origin: Origin,
  login: Login,
  answer: Answer,
): Promise<Session> {
  const { namesItself } = await provider.metadata();
  // RFC 9207 section 2.4: an answer of another provider (mix-up).
  if ((answer.issuer !== undefined || namesItself) && answer.issuer !== issuer) {
    throw new Refused('the answer is that of another issuer');
  }
  if (answer.error !== undefined) throw new Refused(`the issuer says ${safeCode(answer.error)}`);
  if (answer.code === '') throw new Refused('the answer has no code');
  const form = {
    grant_type: 'authorization_code',
    code: answer.code,
    redirect_uri: origin.text + redirectPath,
    code_verifier: login.verifier,
  };
  const tokens = await provider.requestTokens(form).catch((error: unknown) => {
    if (error instanceof TokenRefused) throw new Refused(`the code is refused: ${error.message}`);
    throw error;
  });
  if (tokens.idToken === undefined) throw new Refused('the issuer gives no ID token');
  await provider.verify(tokens.idToken, login.nonce).catch((error: unknown) => {
    if (error instanceof BadIdToken)
      throw new Refused(`the ID token is not good: ${error.message}`);
    throw error;
  });
  return sessionOf(tokens, tokens.idToken, seconds() + lifetime, seconds());
}

function loginIn({ loginSeal }: OidcClient, sealed: string | undefined, state: string) {
  const login = sealed === undefined ? undefined : (loginSeal.open(sealed) as Login | undefined);
  if (!login || login.begun + loginLifetime < seconds()) return undefined;
  const [expected, given] = [Buffer.from(login.state), Buffer.from(state)];
  return expected.length === given.length && timingSafeEqual(expected, given) ? login : undefined;
}

function failed(status: number, reason: string, fields = ''): Attempt {
  const reply = errorReply(status, 'Login failed');
  const lines = `${reply.fields}cache-control: no-store\r\n${fields}`;
  return { kind: 'answered', reply: { ...reply, fields: lines }, reason };
}
