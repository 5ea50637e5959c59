import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { httpsPort } from './gatehouse.ts';
import type { Answer } from './request.ts';

export type TlsAnswer = Answer & {
  /** Serial number of the certificate that was shown. */
  serial: string;
};

/** Asks the gateway over TLS on a connection of its own, trusting `ca` (PEM) alone. */
export function requestTls(url: string, ca: string, port = httpsPort): Promise<TlsAnswer> {
  const { host, pathname, search } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest({
      host: '127.0.0.1',
      port,
      servername: host,
      ca,
      path: pathname + search,
      headers: { host },
      agent: false,
      timeout: 5000,
    });
    outgoing.on('response', (response) => {
      const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate();
      const status = response.statusCode ?? 0;
      text(response).then((body) => resolve({ status, body, serial: serialNumber }), reject);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in 5000 ms')));
    outgoing.on('error', reject);
    outgoing.end();
  });
}
