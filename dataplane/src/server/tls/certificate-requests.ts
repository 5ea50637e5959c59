import type { TLSSocket } from 'node:tls';

/** The parts of Node that decide whether a server asks its client for a certificate. */
type Asking = {
  _requestCert?: boolean;
  _handle?: { setVerifyMode?(request: boolean, reject: boolean): void };
};

/**
 * Asks the client for a certificate, or does not, in the midst of its handshake: only now is it known
 * which listener it wants. Node has this as an option of a whole server; clients of the other listeners
 * of the port would be asked as well, and browsers would bother their users.
 * @returns false when this Node cannot do it
 */
export function askForCertificate(socket: TLSSocket, wanted: boolean): boolean {
  const asking = socket as unknown as Asking;
  if (!asking._handle?.setVerifyMode) return !wanted;
  asking._handle.setVerifyMode(wanted, false);
  asking._requestCert = wanted;
  return true;
}
