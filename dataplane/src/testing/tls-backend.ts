import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type TLSSocket, Server as TlsServer } from 'node:tls';
import type { Pair } from './authority.ts';

/** An HTTPS server on loopback that counts what came to it. */
export type TlsBackend = {
  server: Server;
  port: number;
  /** TCP connections that it ever took. */
  connections: number;
  /** Handshakes that it completed, and those of them that resumed a session. */
  handshakes: number;
  resumed: number;
  /** Requests that it began to read. */
  requests: number;
  /** Names that clients asked for. */
  names: (string | false | null)[];
  /** Replaces what answers from now on. */
  answer: RequestListener;
  /** Shows another certificate from now on. */
  use(pair: Pair): void;
  /** Closes the connections that are open. */
  disconnect(): void;
  close(): Promise<void>;
};

export async function startTlsBackend(
  options: ServerOptions,
  answer: RequestListener = (_, response) => response.end('ok'),
): Promise<TlsBackend> {
  const sockets = new Set<Socket>();
  const server = createServer(options, (request: IncomingMessage, response: ServerResponse) => {
    backend.requests++;
    backend.answer(request, response);
  });
  server.on('connection', (socket: Socket) => {
    backend.connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    backend.handshakes++;
    if (socket.isSessionReused()) backend.resumed++;
    backend.names.push(socket.servername);
  });
  const backend: TlsBackend = {
    server,
    port: 0,
    connections: 0,
    handshakes: 0,
    resumed: 0,
    requests: 0,
    names: [],
    answer,
    use(pair) {
      // An HTTPS server is one of TLS; its type does not say so.
      if (server instanceof TlsServer) server.setSecureContext(pair);
    },
    disconnect() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      backend.disconnect();
      await closed;
    },
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  backend.port = (server.address() as AddressInfo).port;
  return backend;
}
