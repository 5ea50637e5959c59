import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';

export type Visit = { resumed: boolean; version: string; subject: string; session: Buffer };

/**
 * Asks once over TLS and leaves when the answer and a ticket have come.
 * @throws when the handshake fails.
 */
export async function visit(port: number, options: ConnectionOptions): Promise<Visit> {
  let session: Buffer | undefined;
  const socket: TLSSocket = connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    ...options,
  });
  socket.on('session', (ticket: Buffer) => {
    session = ticket;
  });
  const host = options.servername ?? 'a.test';
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed in the handshake')));
    socket.once('secureConnect', resolve);
  });
  const answered = new Promise<void>((resolve, reject) => {
    socket.once('data', () => resolve());
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed without an answer')));
  });
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await answered;
  const version = socket.getProtocol() ?? '';
  // Tickets of TLS 1.3 come behind the handshake, before the answer; one that resumed has them, too.
  const found = session ?? socket.getSession();
  const resumed = socket.isSessionReused();
  const subject = String(socket.getPeerCertificate().subject?.CN ?? '');
  socket.destroy();
  if (!found) throw new Error('No session came');
  return { resumed, version, subject, session: found };
}
