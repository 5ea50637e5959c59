/** True when RFC 3986 section 6.2.2 has something to do, or something has to be rejected. */
const unclean = /[\x00-\x20#%?\\\x7f-\uffff]|\/(?:\/|\.\.?(?:[/;]|$))/;

/** No path holds these; a NUL, a raw or an escaped backslash is read as the end or as "/" by some. */
const forbidden = /[\x00-\x20#?\\\x7f-\uffff]|%(?:00|5[Cc]|(?![0-9A-Fa-f]{2}))/;

/**
 * "..": hidden from section 5.2.4 behind an escaped slash or a path parameter, yet a parent directory
 * to every server that decodes once more or drops parameters first ("/shop/..;/admin").
 */
const hiddenParent = /(?:\/|%2F)\.\.(?:;|%3B|%2F)|%2F\.\.(?:\/|$)/;

const escapes = /%[0-9A-Fa-f]{2}/g;
const unreserved = /[A-Za-z0-9._~-]/;

/**
 * Normalises the path of a request (RFC 3986 section 6.2.2): decodes escaped unreserved characters,
 * upper-cases the other escapes, removes dot segments and then, as no standard asks but every file
 * system does, merges slashes. "%2F" stays data. A path with nothing to do is returned as it is.
 * @param path without the query; '' means "/" (section 6.2.3).
 * @returns undefined when the request deserves 400: no "/" in front, a broken escape, %00, a backslash,
 * "#", "?", a control or non-ASCII character, or a ".." that leaves the root or is disguised.
 */
export function normalisePath(path: string): string | undefined {
  if (path.charCodeAt(0) !== 47) return path === '' ? '/' : undefined;
  return unclean.test(path) ? normalise(path) : path;
}

function normalise(path: string): string | undefined {
  if (forbidden.test(path)) return undefined;
  const decoded = path.replace(escapes, decodeUnreserved);
  return hiddenParent.test(decoded) ? undefined : removeDotSegments(decoded);
}

function decodeUnreserved(triplet: string): string {
  const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
  return unreserved.test(character) ? character : triplet.toUpperCase();
}

/** RFC 3986 section 5.2.4; an empty segment counts until they are merged at the end. */
function removeDotSegments(path: string): string | undefined {
  const segments = path.slice(1).split('/');
  const kept: string[] = [];
  for (const segment of segments) {
    if (segment === '..') {
      if (kept.pop() === undefined) return undefined;
    } else if (segment !== '.') {
      kept.push(segment);
    }
  }
  const last = segments.at(-1);
  if (last === '.' || last === '..') kept.push('');
  return `/${kept.filter((segment, index) => segment !== '' || index === kept.length - 1).join('/')}`;
}
