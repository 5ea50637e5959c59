import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

/** A certificate and its key, PEM. */
export interface Pair {
  certificate: string;
  key: string;
}

/** Clocks of data planes may be this much behind, in milliseconds. */
export const clockSkew = 24 * 60 * 60 * 1000;

/** Why TLS cannot be served with a pair; undefined when it can. Its dates are not looked at. */
export function unsound({ certificate, key }: Pair): string | undefined {
  try {
    const parsed = new X509Certificate(certificate);
    if (!parsed.checkPrivateKey(createPrivateKey(key)))
      return 'the key is not that of the certificate';
    createSecureContext({ cert: certificate, key });
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `it cannot be read: ${reason}`;
  }
}

/** Milliseconds since the epoch. @throws Error when it is no certificate. */
export function datesOf(certificate: string): { notBefore: number; notAfter: number } {
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  return { notBefore: validFromDate.getTime(), notAfter: validToDate.getTime() };
}
