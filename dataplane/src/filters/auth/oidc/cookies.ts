import type { RequestHead } from '../../../http1/request-head.ts';

/** Characters of a cookie's value: browsers keep 4096 bytes of a cookie with its name (RFC 6265 6.1). */
const pieceLength = 3800;
/** Together they stay well below what a gateway takes for the head of a request. */
const mostPieces = 4;

/** Cookies of a request by name; of several with one name the first counts (RFC 6265 section 5.4). */
export function cookiesOf(head: RequestHead): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of pairsOf(head)) {
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals);
    if (equals > 0 && !cookies.has(name)) cookies.set(name, pair.slice(equals + 1));
  }
  return cookies;
}

function pairsOf(head: RequestHead): string[] {
  const lines = head.linesOf('cookie').map((index) => head.message.valueAt(index));
  return lines.flatMap((line) => line.split(';').map((pair) => pair.trim()));
}

/** The request without the cookies whose name is `ours`: lines to hide and lines to add. */
export function withoutCookies(
  head: RequestHead,
  ours: (name: string) => boolean,
): { hidden: number[]; upstreamFields: string } {
  const kept = pairsOf(head).filter((pair) => pair !== '' && !ours(pair.split('=')[0] ?? ''));
  return {
    hidden: head.linesOf('cookie'),
    upstreamFields: kept.length === 0 ? '' : `cookie: ${kept.join('; ')}\r\n`,
  };
}

/** Writes cookies of one origin. */
export type CookieJar = {
  /** As it is on the wire, with its prefix. */
  nameOf(name: string): string;
  /** A complete field line. @param lifetime seconds; 0 removes it */
  line(name: string, value: string, lifetime: number): string;
};

/**
 * By HTTPS names begin with __Host-: browsers take such a cookie from this very host only, and no other
 * host can set it (RFC 6265bis section 4.1.3).
 */
export function cookieJar(secure: boolean): CookieJar {
  const nameOf = (name: string) =>
    secure && !name.startsWith('__Host-') ? `__Host-${name}` : name;
  const attributes = `Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  return {
    nameOf,
    line: (name, value, lifetime) =>
      `set-cookie: ${nameOf(name)}=${value}; ${attributes}; Max-Age=${lifetime}\r\n`,
  };
}

/** A value that may be too long for one cookie: its first piece says how many there are. */
export function readPieces(
  cookies: ReadonlyMap<string, string>,
  nameOf: (piece: number) => string,
): string | undefined {
  const first = cookies.get(nameOf(0));
  const [, count, text = ''] = /^([1-9])\.([\w-]+)$/.exec(first ?? '') ?? [];
  if (count === undefined) return undefined;
  let all = text;
  for (let piece = 1; piece < Number(count); piece++) {
    const value = cookies.get(nameOf(piece));
    if (value === undefined) return undefined;
    all += value;
  }
  return all;
}

/** Undefined when it is longer than what can be kept. */
export function piecesOf(text: string): string[] | undefined {
  const count = Math.max(1, Math.ceil(text.length / pieceLength));
  if (count > mostPieces) return undefined;
  const pieces = Array.from({ length: count }, (_, i) => {
    return text.slice(i * pieceLength, (i + 1) * pieceLength);
  });
  return pieces.map((piece, i) => (i === 0 ? `${count}.${piece}` : piece));
}
