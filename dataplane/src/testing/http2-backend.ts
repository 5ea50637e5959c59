import {
  createServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
  type SessionOptions,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';

/** What a stream of a test server has received. */
export type Http2Request = {
  stream: ServerHttp2Stream;
  headers: IncomingHttpHeaders;
  /** Resolves with the body when its end has come. */
  body: Promise<Buffer>;
  trailers: IncomingHttpHeaders | undefined;
};

export type Http2Script = (request: Http2Request) => void;

/** A server that speaks HTTP/2 without TLS on loopback, and keeps what it received. */
export type Http2Backend = {
  port: number;
  requests: Http2Request[];
  sessions: Http2Session[];
  sockets: Socket[];
  /** Replaces the script for what comes from now on. */
  script: Http2Script;
  /** Waits for so many requests. */
  received(count: number): Promise<void>;
  close(): Promise<void>;
};

export const okScript: Http2Script = ({ stream }) => {
  stream.respond({ ':status': 200, 'content-type': 'text/plain' });
  stream.end('ok');
};

export async function startHttp2Backend(
  script: Http2Script = okScript,
  options: SessionOptions & { port?: number } = {},
): Promise<Http2Backend> {
  const server = createServer(options);
  const waiting = new Set<() => void>();
  server.on('connection', (socket: Socket) => backend.sockets.push(socket));
  server.on('session', (session) => {
    backend.sessions.push(session);
    session.on('error', () => undefined);
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => undefined);
    const request: Http2Request = {
      stream,
      headers,
      trailers: undefined,
      body: new Promise((resolve) => {
        stream.on('end', () => resolve(Buffer.concat(chunks)));
      }),
    };
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('trailers', (trailers) => {
      request.trailers = trailers;
    });
    backend.requests.push(request);
    backend.script(request);
    for (const look of waiting) look();
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const backend: Http2Backend = {
    port: (server.address() as AddressInfo).port,
    requests: [],
    sessions: [],
    sockets: [],
    script,
    received: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (backend.requests.length < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    async close() {
      for (const socket of backend.sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return backend;
}
