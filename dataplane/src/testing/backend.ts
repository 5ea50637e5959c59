import { type AddressInfo, createServer } from 'node:net';
import { type Message, readMessage } from './message.ts';
import { Peer } from './peer.ts';

/** What a test server does with a connection or with a request. */
export type BackendScript = {
  /** Runs the whole connection; requests are not read for it. */
  connection?: (peer: Peer, index: number) => void | Promise<void>;
  /** Answers a request that has arrived whole. */
  request?: (request: Message, peer: Peer) => void;
};

/** A TCP server on loopback that answers what its script says and keeps what it received. */
export type RawBackend = {
  port: number;
  /** Complete requests in the order of their arrival. */
  requests: Message[];
  connections: Peer[];
  /** Replaces the script for what comes from now on. */
  script: BackendScript;
  /** Waits for the connection with this index. */
  connection(index: number): Promise<Peer>;
  /** Forgets what was received and closes the connections that are open. */
  reset(): void;
  close(): Promise<void>;
};

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Answers every request with these bytes. */
export function answering(bytes: string | Buffer): BackendScript {
  return { request: (_request, peer) => peer.write(bytes) };
}

export async function startBackend(script: BackendScript = answering(ok)): Promise<RawBackend> {
  const waiting: (() => void)[] = [];
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    const peer = new Peer(socket);
    backend.connections.push(peer);
    const run = backend.script.connection;
    if (run) {
      void Promise.resolve(run(peer, backend.connections.length - 1)).catch((error: unknown) => {
        failures.push(error);
      });
    } else {
      socket.on('data', () => readRequests(peer));
      socket.on('end', () => socket.end());
    }
    for (const wake of waiting.splice(0)) wake();
  });
  const failures: unknown[] = [];

  function readRequests(peer: Peer) {
    for (;;) {
      const request = readMessage(peer.bytes);
      if (!request) return;
      peer.bytes = peer.bytes.subarray(request.raw.length);
      backend.requests.push(request);
      backend.script.request?.(request, peer);
    }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const backend: RawBackend = {
    port: (server.address() as AddressInfo).port,
    requests: [],
    connections: [],
    script,
    async connection(index) {
      while (backend.connections.length <= index) {
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      return backend.connections[index] as Peer;
    },
    reset() {
      for (const { socket } of backend.connections) socket.destroy();
      backend.connections.length = 0;
      backend.requests.length = 0;
    },
    async close() {
      backend.reset();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      if (failures.length > 0) throw failures[0];
    },
  };
  return backend;
}

/** A port on loopback that refuses connections. */
export async function refusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
