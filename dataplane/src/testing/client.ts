import { connect } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { Peer } from './peer.ts';

/** Opens a connection to the gateway; the peer may half-close without being closed. */
export async function connectTo(port: number): Promise<Peer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const peer = new Peer(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return peer;
}

/** The same over TLS; certificates are not checked, `peerName` tells which one came. */
export async function connectSecurely(
  port: number,
  options: ConnectionOptions = {},
): Promise<Peer & { peerName: string }> {
  const socket = connectTls({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    ...options,
  });
  const peer = new Peer(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  const peerName = String(socket.getPeerCertificate().subject?.CN ?? '');
  return Object.assign(peer, { peerName });
}
