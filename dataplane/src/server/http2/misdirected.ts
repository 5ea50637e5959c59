import { coversHost } from '../../link/certificates.ts';
import { certificateFor, listenerFor, securing } from '../../link/listeners.ts';
import type { LinkedPort } from '../../link/runtime.ts';

/**
 * Clients put requests for several hosts on one connection when its certificate is for all of them (RFC 9113
 * section 9.1.1). Each listener has its own say about handshakes: a request for a host whose handshake would
 * have gone by another listener, or shown a certificate that this one does not replace, is sent elsewhere.
 * @param name server name of the handshake; '' stands for none.
 * @param host lower-case without port.
 */
export function misdirects(port: LinkedPort, name: string, host: string): boolean {
  const server = name.toLowerCase();
  if (server === host) return false;
  const listener = listenerFor(port, host);
  // No listener: 404, whatever the connection.
  if (listener && listener !== securing(port, server)) return true;
  const shown = certificateFor(port, server);
  const wanted = certificateFor(port, host);
  if (shown === wanted || !shown) return false;
  return !shown.names.some((pattern) => coversHost(pattern, host));
}
