import { constants, createHmac, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import { algorithmTraits, type JwtAlgorithm } from '@gatehouse/crds';

/**
 * Whether `signature` is that of `signed` by this key. Synchronous: the same work through WebCrypto costs
 * 13 us and more on top, most of it for promises and threads (docs/adr/0009-jwt.md).
 * @param key fits the algorithm: a key set gives it no other
 */
export function verifies(
  alg: JwtAlgorithm,
  key: KeyObject,
  signed: Buffer,
  signature: Buffer,
): boolean {
  const { kty, hash, hashBytes, pss } = algorithmTraits[alg];
  switch (kty) {
    case 'oct': {
      if (signature.length !== hashBytes || hash === undefined) return false;
      return timingSafeEqual(createHmac(hash, key).update(signed).digest(), signature);
    }
    case 'EC':
      // RFC 7518 section 3.4: R and S side by side, never DER.
      return verify(hash, signed, { key, dsaEncoding: 'ieee-p1363' }, signature);
    case 'OKP':
      return verify(undefined, signed, key, signature);
    case 'RSA': {
      if (!pss) return verify(hash, signed, key, signature);
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      // RFC 7518 section 3.5: the salt is as long as the hash.
      return verify(hash, signed, { key, padding, saltLength: hashBytes }, signature);
    }
  }
}
