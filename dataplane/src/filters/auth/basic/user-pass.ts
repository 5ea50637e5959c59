export type UserPass = { user: string; password: Uint8Array };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** RFC 4648 section 4; some clients leave out the padding. */
const base64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Reads user and password (RFC 7617 section 2). Undefined when they are not base64 of UTF-8 with a colon,
 * or hold controls. The empty password is nobody's.
 */
export function decodeUserPass(token: string): UserPass | undefined {
  if (!base64.test(token)) return undefined;
  const bytes = Buffer.from(token, 'base64');
  const colon = bytes.indexOf(0x3a);
  if (colon < 0 || colon === bytes.length - 1) return undefined;
  const text = decoded(bytes);
  if (text === undefined || /[\u0000-\u001f\u007f]/.test(text)) return undefined;
  return { user: text.slice(0, text.indexOf(':')), password: bytes.subarray(colon + 1) };
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
