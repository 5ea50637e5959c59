import { type JwtMethod, jsonFault } from '@gatehouse/crds';
import { errors, type JWTVerifyOptions, UnsecuredJWT } from 'jose';
import { claimAt, textsOf } from '../identity.ts';

export type Claims = Readonly<Record<string, unknown>>;

export type ClaimsExpected = {
  issuer: string | undefined;
  audiences: readonly string[] | undefined;
  required: NonNullable<JwtMethod['requiredClaims']>;
  /** Seconds. */
  skew: number;
};

/** What a payload says, when its signature is good: claims, or why they do not do, for the log. */
export type CheckClaims = (payload: string) => Claims | string;

/** The header of a token without signature: the signature was checked before. */
const unsecured = `${Buffer.from('{"alg":"none"}').toString('base64url')}.`;

/** Seconds since 1970 until the end of the year 9999: what is later, or not finite, is no date. */
const latest = 253_402_300_799;

/**
 * Checks the claims of RFC 7519 section 4.1 by jose, which has no function for claims alone: so a payload
 * is handed over as that of an unsecured token (docs/adr/0009-jwt.md).
 */
export function linkClaims({ issuer, audiences, required, skew }: ClaimsExpected): CheckClaims {
  const options: JWTVerifyOptions = { clockTolerance: skew };
  if (issuer !== undefined) options.issuer = issuer;
  if (audiences) options.audience = [...audiences];
  return (payload) => {
    const claims = decoded(payload, options);
    if (typeof claims === 'string') return claims;
    const fault = jsonFault(Buffer.from(payload, 'base64url').toString(), claims);
    if (fault !== undefined) return `the claims set ${fault}`;
    return typeFault(claims, skew) ?? missingClaim(claims, required) ?? claims;
  };
}

function decoded(payload: string, options: JWTVerifyOptions): Claims | string {
  try {
    return UnsecuredJWT.decode(`${unsecured}${payload}.`, options).payload;
  } catch (error) {
    // Its messages name claims, never their values.
    if (error instanceof errors.JOSEError) return error.message;
    throw error;
  }
}

/** What jose leaves to its caller. */
function typeFault(claims: Claims, skew: number): string | undefined {
  for (const name of ['exp', 'nbf', 'iat']) {
    const value = claims[name];
    if (typeof value === 'number' && Math.abs(value) > latest) return `"${name}" is no date`;
  }
  if (typeof claims.iat === 'number' && claims.iat > Date.now() / 1000 + skew) {
    return '"iat" is in the future';
  }
  if (claims.iss !== undefined && typeof claims.iss !== 'string') return '"iss" is not a string';
  if (
    claims.sub !== undefined &&
    typeof claims.sub !== 'string' &&
    typeof claims.sub !== 'number'
  ) {
    return '"sub" is not a string';
  }
  return undefined;
}

function missingClaim(claims: Claims, required: ClaimsExpected['required']): string | undefined {
  for (const { name, values } of required) {
    const found = claimAt(claims, name);
    if (found === undefined || found === null) return `required claim "${name}" is missing`;
    if (values && !textsOf(found).some((text) => values.includes(text))) {
      return `required claim "${name}" has none of the values`;
    }
  }
  return undefined;
}

/** Milliseconds since 1970 from when on the token has expired; never, without exp. */
export function expiryOf({ exp }: Claims, skew: number): number {
  return typeof exp === 'number' ? (exp + skew) * 1000 : Number.POSITIVE_INFINITY;
}
