import type { OidcClient } from './client.ts';
import { type CookieJar, piecesOf, readPieces } from './cookies.ts';
import { type Session, sealSession } from './session.ts';

/** Name of a piece of the session's cookie: "name", "name.1", "name.2". */
const pieceName = ({ cookieName }: OidcClient, piece: number) =>
  piece === 0 ? cookieName : `${cookieName}.${piece}`;

/** The sealed session of a browser; undefined when it has none. */
export function sealedSession(
  client: OidcClient,
  given: ReadonlyMap<string, string>,
  jar: CookieJar,
): string | undefined {
  return readPieces(given, (piece) => jar.nameOf(pieceName(client, piece)));
}

/**
 * Field lines that give the browser its session, and take away pieces of a longer one before it.
 * Undefined when it is too long: not even without the access token would it fit.
 */
export function sessionLines(
  client: OidcClient,
  session: Session,
  given: ReadonlyMap<string, string>,
  jar: CookieJar,
): string | undefined {
  const pieces = piecesOf(sealSession(client.sessionSeal, session));
  if (!pieces) return undefined;
  const left = Math.max(0, session.endsAt - Math.floor(Date.now() / 1000));
  const lines = pieces.map((piece, i) => jar.line(pieceName(client, i), piece, left));
  return lines.join('') + removedPieces(client, given, jar, pieces.length);
}

/** Field lines that remove the pieces from `first` on. */
export function removedPieces(
  client: OidcClient,
  given: ReadonlyMap<string, string>,
  jar: CookieJar,
  first = 0,
): string {
  let lines = '';
  for (let piece = first; piece < 10; piece++) {
    const name = pieceName(client, piece);
    if (given.has(jar.nameOf(name))) lines += jar.line(name, '', 0);
  }
  return lines;
}

/** Whether a cookie is one of ours, which upstreams do not get. */
export function isOwnCookie({ cookieName }: OidcClient, jar: CookieJar) {
  const name = jar.nameOf(cookieName);
  return (given: string) =>
    given === name || given.startsWith(`${name}.`) || given.startsWith(`${name}-login-`);
}
