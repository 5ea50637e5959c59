import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { StartSource } from '../source.ts';

/** The ports that the YAML file names. */
export const endpointPort = 4021;
export const impostorPort = 4022;

/** An endpoint that takes those in whom its authority has certified, and somebody who only says so. */
export const startSource: StartSource = async (ports) => {
  const servers = new Map([
    [endpointPort, serverOf('endpoint.pem')],
    [impostorPort, serverOf('impostor.pem')],
  ]);
  const sockets = new Set<Socket>();
  const found = new Map<number, number>();
  for (const [wanted, server] of servers) {
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    server.listen(ports.get(wanted) ?? 0, '127.0.0.1');
    await once(server, 'listening');
    found.set(wanted, (server.address() as AddressInfo).port);
  }
  return {
    ports: found,
    async close() {
      const closed = [...servers.values()].map((server) => once(server, 'close'));
      for (const server of servers.values()) server.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
};

function serverOf(file: string): Http2SecureServer {
  const pem = readFileSync(new URL(file, import.meta.url));
  const ca = readFileSync(new URL('authority.pem', import.meta.url));
  const options = { cert: pem, key: pem, ca, requestCert: true, rejectUnauthorized: true };
  return createSecureServer(
    { ...options, allowHTTP1: true },
    ({ httpVersion, socket }, response) => {
      const seen = socket instanceof TLSSocket ? socket : undefined;
      const answer = {
        http: httpVersion,
        tls: seen?.getProtocol(),
        client: seen?.getPeerCertificate().subject?.CN,
      };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answer));
    },
  );
}
