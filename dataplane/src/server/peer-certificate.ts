import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

/** What the client showed in the handshake; undefined when it showed nothing. */
export function peerCertificate(socket: TLSSocket): DetailedPeerCertificate | undefined {
  const certificate = socket.getPeerCertificate(true);
  return certificate?.raw === undefined ? undefined : certificate;
}
