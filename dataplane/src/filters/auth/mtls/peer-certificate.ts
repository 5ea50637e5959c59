import type { X509Certificate } from 'node:crypto';

/** What a client showed in its TLS handshake, having proved that it holds the key. */
export type PeerCertificate = {
  /** The certificate of the client, then those that it sent along, each issued by the next. */
  chain: readonly X509Certificate[];
  /** OpenSSL found a path to one of the authorities that the listener asked for (RFC 5280 section 6). */
  trusted: boolean;
};
