import type { JWTPayload } from 'jose';
import type { Tokens } from './provider.ts';
import type { Seal } from './seal.ts';

/** A login, as its cookie keeps it. */
export type Session = {
  idToken: string;
  accessToken: string;
  /** '' when there is none. */
  refreshToken: string;
  /** Seconds since the epoch; 0: never. */
  refreshAt: number;
  /** Seconds since the epoch. */
  endsAt: number;
};

/** Seconds before an access token expires at which a new one is fetched. */
const early = 30;

export function sessionOf(tokens: Tokens, idToken: string, endsAt: number, now: number): Session {
  const { accessToken, refreshToken, expiresIn } = tokens;
  const refreshes = refreshToken !== '' && expiresIn !== undefined;
  return {
    idToken,
    accessToken,
    refreshToken,
    refreshAt: refreshes ? now + Math.max(1, Math.floor(expiresIn) - early) : 0,
    endsAt,
  };
}

export function sealSession(seal: Seal, session: Session): string {
  const { idToken, accessToken, refreshToken, refreshAt, endsAt } = session;
  return seal.seal([idToken, accessToken, refreshToken, refreshAt, endsAt]);
}

/** Undefined when the text is none of ours. */
export function openSession(seal: Seal, text: string): Session | undefined {
  const fields = seal.open(text);
  if (!Array.isArray(fields)) return undefined;
  const [idToken, accessToken, refreshToken, refreshAt, endsAt] = fields as unknown[];
  if (typeof idToken !== 'string' || typeof accessToken !== 'string') return undefined;
  if (typeof refreshToken !== 'string') return undefined;
  if (typeof refreshAt !== 'number' || typeof endsAt !== 'number') return undefined;
  return { idToken, accessToken, refreshToken, refreshAt, endsAt };
}

/** Of a token that was verified before it was sealed. */
export function claimsIn({ idToken }: Session): JWTPayload {
  const [, payload = ''] = idToken.split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
}
