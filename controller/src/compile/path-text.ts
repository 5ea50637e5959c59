import type { Report } from './status.ts';

const variablePattern = /^\{([A-Za-z_][A-Za-z0-9_-]*)\}$/;

/**
 * The normal form in which the data plane compares paths (RFC 3986 section 6.2.2): upper-case
 * percent-encodings, none of unreserved characters; what no URI can hold is encoded as UTF-8.
 * Reports what no request can have in its path, for the data plane answers it with 400.
 */
export function normalPath(value: string, path: string, report: Report): string {
  if (!value.startsWith('/')) report(path, 'must start with "/"');
  if (/%(?![0-9a-fA-F]{2})/.test(value)) {
    report(path, '"%" must begin a percent-encoding such as "%20" (RFC 3986 section 2.1)');
  }
  const normal = encodeStrangers(value).replace(/%[0-9a-fA-F]{2}/g, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return /[A-Za-z0-9\-._~]/.test(character) ? character : encoded.toUpperCase();
  });
  if (/[\\?#]|%5C|%00/.test(normal)) {
    report(path, 'must be a path without query, fragment, backslash and NUL');
  }
  // A path parameter or an escaped slash does not make ".." a name: servers behind may think not.
  const segments = normal.split(/\/|%2F/).map((segment) => segment.split(/;|%3B/)[0]);
  if (segments.includes('.') || segments.includes('..') || normal.includes('//')) {
    report(path, 'must be a normalised path without "//" and segments "." and ".."');
  }
  return normal;
}

/** Percent-encodes what must not stand in a request target: spaces, controls, all beyond ASCII. */
export function encodeStrangers(value: string): string {
  return value
    .toWellFormed()
    .replace(/[\u0000-\u0020]|[\u007f-\u{10ffff}]/gu, (character) => encodeURIComponent(character));
}

/** Names of the variables of a template such as "/users/{id}"; a variable is a whole segment. */
export function templateVariables(value: string, path: string, report: Report): string[] {
  const names: string[] = [];
  for (const segment of value.split('/')) {
    if (!/[{}]/.test(segment)) continue;
    const name = variablePattern.exec(segment)?.[1];
    if (name === undefined) {
      report(path, `"${segment}" must be a whole segment such as "{id}"`);
    } else if (names.includes(name)) {
      report(path, `variable "${name}" is given twice`);
    } else {
      names.push(name);
    }
  }
  return names;
}

/** Names of the variables that a replacement such as "/v2/{id}.json" asks for. */
export function replacementVariables(value: string, path: string, report: Report): string[] {
  const names: string[] = [];
  const rest = value.replace(/\{([A-Za-z_][A-Za-z0-9_-]*)\}/g, (_, name: string) => {
    names.push(name);
    return '';
  });
  if (/[{}]/.test(rest)) report(path, 'braces must hold the name of a variable, e.g. "{id}"');
  return names;
}

/** A trailing slash means nothing in a prefix (Gateway API, HTTPPathMatch). */
export function withoutTrailingSlash(prefix: string): string {
  return prefix.length > 1 && prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
}
