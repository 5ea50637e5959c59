import type { algorithms } from '../resources/auth/jwt.ts';

export type JwtAlgorithm = (typeof algorithms)[number];

export type AlgorithmTraits = {
  /** Type and curve of the only keys that it goes with. */
  kty: 'RSA' | 'EC' | 'OKP' | 'oct';
  crv?: string;
  /** As node:crypto names it; undefined: the algorithm has its own. */
  hash: string | undefined;
  /** Bytes that the hash makes; 0 where that does not matter. */
  hashBytes: number;
  pss?: true;
};

/** RFC 7518 section 3.1 and RFC 8037 section 3.1. */
export const algorithmTraits: Readonly<Record<JwtAlgorithm, AlgorithmTraits>> = {
  RS256: { kty: 'RSA', hash: 'sha256', hashBytes: 32 },
  RS384: { kty: 'RSA', hash: 'sha384', hashBytes: 48 },
  RS512: { kty: 'RSA', hash: 'sha512', hashBytes: 64 },
  PS256: { kty: 'RSA', hash: 'sha256', hashBytes: 32, pss: true },
  PS384: { kty: 'RSA', hash: 'sha384', hashBytes: 48, pss: true },
  PS512: { kty: 'RSA', hash: 'sha512', hashBytes: 64, pss: true },
  ES256: { kty: 'EC', crv: 'P-256', hash: 'sha256', hashBytes: 32 },
  ES384: { kty: 'EC', crv: 'P-384', hash: 'sha384', hashBytes: 48 },
  ES512: { kty: 'EC', crv: 'P-521', hash: 'sha512', hashBytes: 64 },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', hash: undefined, hashBytes: 0 },
  HS256: { kty: 'oct', hash: 'sha256', hashBytes: 32 },
  HS384: { kty: 'oct', hash: 'sha384', hashBytes: 48 },
  HS512: { kty: 'oct', hash: 'sha512', hashBytes: 64 },
};

export function isJwtAlgorithm(name: unknown): name is JwtAlgorithm {
  return typeof name === 'string' && Object.hasOwn(algorithmTraits, name);
}

/** Algorithms that go with a key of this type and curve. */
export function algorithmsOf(kty: string, crv?: string): JwtAlgorithm[] {
  return (Object.keys(algorithmTraits) as JwtAlgorithm[]).filter((name) => {
    const traits = algorithmTraits[name];
    return traits.kty === kty && traits.crv === crv;
  });
}

/** HMAC algorithms for which a secret of so many bytes is long enough (RFC 7518 section 3.2). */
export function hmacAlgorithmsFor(secretBytes: number): JwtAlgorithm[] {
  return algorithmsOf('oct').filter((name) => algorithmTraits[name].hashBytes <= secretBytes);
}
