import type { Header, ReadHeader } from './header.ts';

/** A JSON Web Token (RFC 7519) in its compact form, taken apart and not verified. */
export type Token = Header & {
  /** What was signed (RFC 7515 section 5.2). */
  signed: Buffer;
  signature: Buffer;
  /** As it stands in the token: base64url. */
  payload: string;
};

/** Characters of a token: more than identity providers make, less than what costs to look at. */
export const longestToken = 16_384;

/**
 * Base64url without padding, and only the one spelling of each sequence of bytes (RFC 4648 section 3.5):
 * a token cannot be written in two ways.
 */
const part = '(?:[\\w-]{4})*(?:[\\w-][AQgw]|[\\w-]{2}[AEIMQUYcgkosw048])?';
const compact = new RegExp(`^${part}\\.${part}\\.${part}$`);

/** Takes a token apart, or says for the log why it is none. */
export function readToken(text: string, readHeader: ReadHeader): Token | string {
  if (text.length > longestToken) return `the token is longer than ${longestToken} bytes`;
  if (!compact.test(text)) return faultOfForm(text);
  const first = text.indexOf('.');
  const last = text.lastIndexOf('.');
  const header = readHeader(text, first);
  if (typeof header === 'string') return header;
  return {
    ...header,
    signed: Buffer.from(text.slice(0, last), 'latin1'),
    signature: Buffer.from(text.slice(last + 1), 'base64url'),
    payload: text.slice(first + 1, last),
  };
}

function faultOfForm(text: string): string {
  const parts = text.split('.').length;
  if (parts === 5) return 'the token is encrypted (JWE), which is not supported';
  return parts === 3
    ? 'the token is not written in strict base64url'
    : `the token has ${parts} parts and not 3`;
}

/** The claim iss of a token that nobody has verified: good for choosing keys, and for nothing else. */
export function unverifiedIssuer({ payload }: Token): string | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    if (typeof claims !== 'object' || claims === null || !('iss' in claims)) return undefined;
    return typeof claims.iss === 'string' ? claims.iss : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
