import { jsonFault } from '@gatehouse/crds';
import { decodeProtectedHeader } from 'jose';

/** What counts of a header (RFC 7515 section 4.1). Keys and URLs in it are never looked at. */
export type Header = {
  alg: string;
  /** '' when it names none. */
  kid: string;
};

/** Reads the header of a token, which ends before `end`; or says for the log what is wrong with it. */
export type ReadHeader = (token: string, end: number) => Header | string;

/** Characters of a kid that are compared; issuers make some dozens. */
const longestKid = 1024;

/** Tokens of the same issuers that are not for access (RFC 8725 section 3.11, RFC 9449, RFC 8417). */
const otherTypes = new Set(['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'kb+jwt']);

/** Headers that are remembered, and their length: issuers write the same one for each kid. */
const remembered = { entries: 64, length: 1024 };

/** Remembers good headers: reading one costs as much as an HMAC. */
export function createHeaderReader(): ReadHeader {
  const known = new Map<string, Header>();
  return (token, end) => {
    const text = token.slice(0, end);
    const before = known.get(text);
    if (before) return before;
    const header = readHeader(token, text);
    if (typeof header !== 'string' && end <= remembered.length) {
      if (known.size >= remembered.entries) known.clear();
      // Cut out of a head, the text would keep the whole head in memory.
      known.set(Buffer.from(text, 'latin1').toString('latin1'), header);
    }
    return header;
  };
}

function readHeader(token: string, text: string): Header | string {
  let header: Record<string, unknown>;
  try {
    header = decodeProtectedHeader(token) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof TypeError) return 'the header is not a JSON object in UTF-8';
    throw error;
  }
  const fault = jsonFault(Buffer.from(text, 'base64url').toString(), header);
  if (fault !== undefined) return `the header ${fault}`;
  const { alg, kid = '', typ } = header;
  if (typeof alg !== 'string') return 'the header names no algorithm';
  if (typeof kid !== 'string' || kid.length > longestKid) return 'the kid is not a short string';
  if (typeof typ === 'string' && otherTypes.has(withoutPrefix(typ))) {
    return `a token of type "${withoutPrefix(typ)}" is not for access`;
  }
  // RFC 7515 section 4.1.11, RFC 7797: no extension is understood, so none can be critical.
  if (Object.hasOwn(header, 'crit')) return 'the header names critical extensions';
  if (Object.hasOwn(header, 'b64')) return 'the header changes the encoding of the payload (b64)';
  return { alg, kid };
}

/** RFC 7515 section 4.1.9. */
function withoutPrefix(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, '');
}
