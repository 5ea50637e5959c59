import {
  constants,
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import {
  Code,
  ConnectError,
  createConnectRouter,
  createContextKey,
  createContextValues,
} from '@connectrpc/connect';
import {
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import { Snapshots } from '@gatehouse/snapshot';
import type { Logger } from 'pino';
import { type Authenticate, bearerOf } from './authenticate.ts';
import type { Fleet } from './fleet.ts';
import { defaultKeepAlive, type KeepAlive, watchSession } from './keep-alive.ts';
import type { Pair } from './pair.ts';
import { type Deadlines, defaultDeadlines, serveStream } from './stream.ts';

const mebibyte = 1024 * 1024;

const transport = { minVersion: 'TLSv1.3' } as const;

/** How long data planes have to take the reason of the end, in milliseconds. */
const closeGrace = 500;

export interface PushOptions {
  fleet: Fleet;
  host: string;
  /** 0: any free port. */
  port: number;
  /** PEM, together with the key; without them nobody can connect until `use`. */
  certificate?: string;
  /** PEM. */
  key?: string;
  authenticate: Authenticate;
  log: Pick<Logger, 'debug' | 'info' | 'warn'>;
  deadlines?: Deadlines;
  keepAlive?: KeepAlive;
}

export interface PushServer {
  port: number;
  /** New connections are served by this pair; those that are open stay. */
  use(certificates: Pair): void;
  /** Ends all streams and connections. */
  close(): Promise<void>;
}

interface Peer {
  known(): void;
  reset(): void;
}

const peerKey = createContextKey<Peer>({ known: () => undefined, reset: () => undefined });
const nodeKey = createContextKey<string | undefined>(undefined);

/**
 * Serves the fleet: gRPC over TLS 1.3 only.
 * @throws when the port cannot be listened on.
 */
export async function listen(options: PushOptions): Promise<PushServer> {
  const { fleet, authenticate, log } = options;
  const { deadlines = defaultDeadlines, keepAlive = defaultKeepAlive } = options;
  const router = createConnectRouter({
    connect: false,
    grpcWeb: false,
    acceptCompression: [],
    // Hello: the manifest of about 200,000 resources.
    readMaxBytes: 16 * mebibyte,
    // An update is bounded by its resources; the rest is tags and lengths.
    writeMaxBytes: 65 * mebibyte,
    // Runs before a byte of the body is read, and nothing is sent to a stranger.
    async requestGate({ requestHeader, values }) {
      const token = bearerOf(requestHeader.get('authorization'));
      const identity = token === undefined ? undefined : await authenticate(token);
      if (identity === undefined) {
        throw new ConnectError('a valid bearer token is needed', Code.Unauthenticated);
      }
      values.set(nodeKey, identity.node);
      values.get(peerKey).known();
    },
  });
  router.rpc(Snapshots.method.subscribe, (requests, { values, signal }) =>
    serveStream(requests, {
      fleet,
      deadlines,
      log,
      signal,
      boundNode: values.get(nodeKey),
      reset: values.get(peerKey).reset,
    }),
  );
  const [subscribe] = router.handlers;

  const peers = new Map<ServerHttp2Session, { known(): void }>();
  const sockets = new Set<Socket>();
  const server = createSecureServer({
    cert: options.certificate,
    key: options.key,
    ...transport,
    allowHTTP1: false,
    handshakeTimeout: keepAlive.stranger,
    settings: { maxConcurrentStreams: 16, initialWindowSize: mebibyte },
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('session', (session) => {
    peers.set(session, watchSession(session, keepAlive));
    session.once('close', () => peers.delete(session));
    session.on('error', (error) => log.debug({ err: error }, 'Connection of a data plane failed'));
  });
  server.on('tlsClientError', (error) => log.debug({ err: error }, 'Refused a connection'));

  async function serve(request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
    const { session } = request.stream;
    const known = () => (session ? peers.get(session as ServerHttp2Session)?.known() : undefined);
    const reset = () => request.stream.close(constants.NGHTTP2_CANCEL);
    const values = createContextValues().set(peerKey, { known, reset });
    const universal = universalRequestFromNodeRequest(request, response, undefined, values);
    if (subscribe === undefined || request.url !== subscribe.requestPath) {
      response.writeHead(404);
      response.end();
      return;
    }
    await universalResponseToNodeResponse(await subscribe(universal), response);
  }
  server.on('request', (request, response) => {
    // Whatever ends a stream is a matter of that stream; the session has already been closed.
    serve(request, response).catch((error) => log.debug({ err: error }, 'A stream broke'));
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    use: ({ certificate, key }) =>
      server.setSecureContext({ cert: certificate, key, ...transport }),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      fleet.shutDown();
      for (const session of peers.keys()) session.close();
      const cut = setInterval(() => {
        for (const socket of sockets) socket.destroy();
      }, closeGrace);
      await closed;
      clearInterval(cut);
    },
  };
}
