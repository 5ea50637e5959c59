import { X509Certificate } from 'node:crypto';
import { certificateBlocks } from '@gatehouse/crds';
import type { PeerCertificate } from './peer-certificate.ts';

/** RFC 5280 section 4.2.1.12: clientAuth, anyExtendedKeyUsage. */
const clientPurposes = ['1.3.6.1.5.5.7.3.2', '2.5.29.37.0'];

/** @throws Error for a block that is no certificate */
export function certificatesIn(pem: string): X509Certificate[] {
  return certificateBlocks(pem).map((text) => new X509Certificate(text));
}

/** Until when the chain holds, in milliseconds since the epoch, or why it does not. */
export type Verification = { until: number } | { fault: string };

/**
 * Finds out whether a chain ends in one of `authorities`. OpenSSL has checked it against all authorities
 * that the listener asked for, with what RFC 5280 section 6 asks beyond signatures and dates; which of
 * them it was is for us to find out.
 * @param now milliseconds since the epoch
 */
export function verifyChain(
  { chain, trusted }: PeerCertificate,
  authorities: readonly X509Certificate[],
  now: number,
): Verification {
  const [leaf] = chain;
  if (!leaf) return { fault: 'there is no certificate' };
  const purposes = leaf.keyUsage;
  if (purposes && !purposes.some((purpose) => clientPurposes.includes(purpose))) {
    return { fault: 'the certificate is not for clients (extended key usage)' };
  }
  const path = pathTo(authorities, leaf, chain.slice(1));
  if (!path) return { fault: 'the certificate comes from no authority of the policy' };
  for (const { validFromDate, validToDate } of path) {
    if (now < validFromDate.getTime()) return { fault: 'the certificate is not valid yet' };
    if (now > validToDate.getTime()) return { fault: 'the certificate has expired' };
  }
  if (!trusted) return { fault: 'the certificate does not hold (RFC 5280)' };
  return { until: Math.min(...path.map(({ validToDate }) => validToDate.getTime())) };
}

/** From the certificate of the client up to an authority; the certificates in between were sent along. */
function pathTo(
  authorities: readonly X509Certificate[],
  from: X509Certificate,
  between: readonly X509Certificate[],
): X509Certificate[] | undefined {
  const authority = authorities.find((issuer) => issued(issuer, from));
  if (authority) return [from, authority];
  for (const [index, issuer] of between.entries()) {
    if (!issued(issuer, from)) continue;
    const rest = pathTo(authorities, issuer, between.slice(index + 1));
    if (rest) return [from, ...rest];
  }
  return undefined;
}

function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
