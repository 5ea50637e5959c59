import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { PeerCertificate } from '../filters/auth/mtls/peer-certificate.ts';

/** Certificates of a chain that are looked at. */
const longestChain = 10;

const read = new WeakMap<TLSSocket, PeerCertificate | undefined>();

/** What the client showed in the handshake; the same object for a connection. */
export function peerCertificate(socket: TLSSocket): PeerCertificate | undefined {
  if (!read.has(socket)) read.set(socket, readCertificate(socket));
  return read.get(socket);
}

function readCertificate(socket: TLSSocket): PeerCertificate | undefined {
  const leaf = socket.getPeerX509Certificate();
  if (!leaf) return undefined;
  const chain: X509Certificate[] = [];
  let next: X509Certificate | undefined = leaf;
  while (next && chain.length < longestChain) {
    chain.push(next);
    const issuer: X509Certificate | undefined = next.issuerCertificate;
    next = issuer?.fingerprint256 === next.fingerprint256 ? undefined : issuer;
  }
  return { chain, trusted: socket.authorized };
}
