import { constants } from 'node:crypto';
import type { Server } from 'node:net';
import { createServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { certificateFor, securing } from '../../link/listeners.ts';
import type { LinkedPort } from '../../link/runtime.ts';
import { applicationProtocols } from './application-protocols.ts';
import { askForCertificate } from './certificate-requests.ts';

/** A server that shakes hands as the listeners of its port want it. @param linked the port as it is now */
export function createTlsServer(
  linked: () => LinkedPort | undefined,
  handshakeTimeout: number,
): Server {
  return createServer({
    noDelay: true,
    minVersion: 'TLSv1.2',
    ALPNProtocols: applicationProtocols,
    handshakeTimeout,
    // Whether it is good enough is for policies to say.
    rejectUnauthorized: false,
    SNICallback(this: TLSSocket, name, done) {
      const port = linked();
      const wanted = port && securing(port, name)?.asksForCertificates;
      if (askForCertificate(this, wanted ?? false)) {
        done(null, certificateFor(port, name)?.context);
      } else done(new Error('Cannot ask for a client certificate in this Node'));
    },
  });
}

/** What clients without SNI get (RFC 6066 section 3), and the rules of sessions for all. */
export function secureByDefault(server: TlsServer, port: LinkedPort) {
  const fallback = certificateFor(port, '');
  if (!fallback) return;
  // A resumed session has the certificate of the client, but not the others of its chain.
  const resumes = !port.listeners.some(({ asksForCertificates }) => asksForCertificates);
  const secureOptions = resumes ? 0 : constants.SSL_OP_NO_TICKET;
  server.setSecureContext({ ...fallback.pem, secureOptions });
  const requestCert = securing(port, '')?.asksForCertificates ?? false;
  // Node reads it for each connection.
  Object.assign(server, { requestCert });
}
