import { createHash, timingSafeEqual } from 'node:crypto';

/** Who presents the token; `node` when the token is bound to one. Undefined for a stranger. */
export type Authenticate = (token: string) => Promise<{ node?: string } | undefined>;

/** One token that all data planes share. */
export function sharedToken(expected: string): Authenticate {
  const digest = digestOf(expected);
  // Digests have one length and are compared in constant time.
  return async (token) => (timingSafeEqual(digestOf(token), digest) ? {} : undefined);
}

/** The token of an Authorization field (RFC 6750 section 2.1); undefined when it has none. */
export function bearerOf(authorization: string | null): string | undefined {
  return /^Bearer +([\w\-.~+/]+=*)$/i.exec(authorization ?? '')?.[1];
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
