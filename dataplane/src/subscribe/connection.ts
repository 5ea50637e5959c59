import { isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { type FromDataPlane, Snapshots, type Update } from '@gatehouse/snapshot';

const mebibyte = 1024 * 1024;
/** Largest update that is read. */
const updateBytes = 64 * mebibyte;
/** Largest Hello that is written: the manifest of about 200,000 resources. */
const helloBytes = 16 * mebibyte;
/** Milliseconds. A silent controller is noticed after at most the sum. */
export interface Pings {
  interval: number;
  timeout: number;
}

export const defaultPings: Pings = { interval: 3_000, timeout: 3_000 };

/** Milliseconds that opening a connection may take: the address of a pod that is gone answers nothing. */
const connectTimeout = 3_000;

export interface Address {
  /** https://host:port of the controller. */
  url: string;
  /** PEM of the authority that signed the certificate of the controller; those of the system when undefined. */
  ca: string | undefined;
  pings?: Pings;
}

export interface Connection {
  updates: AsyncIterable<Update>;
  /** Closes the socket at once. */
  close(): void;
}

/** Opens one stream on a connection of its own. Errors come out of `updates`. */
export function connect(
  { url, ca, pings = defaultPings }: Address,
  token: string,
  messages: AsyncIterable<FromDataPlane>,
  signal: AbortSignal,
): Connection {
  let socket: TLSSocket | undefined;
  let closed = false;
  const keepAlive = { pingIntervalMs: pings.interval, pingTimeoutMs: pings.timeout };
  const session = new Http2SessionManager(url, keepAlive, {
    settings: { initialWindowSize: mebibyte, enablePush: false },
    // The socket is ours to close: Http2SessionManager.abort() takes the error listener off a session
    // that just died of a lost ping, and the error would end the process.
    createConnection(authority) {
      socket = openSocket(authority, ca);
      if (closed) socket.destroy();
      return socket;
    },
  });
  const transport = createGrpcTransport({
    baseUrl: url,
    sessionManager: session,
    readMaxBytes: updateBytes,
    writeMaxBytes: helloBytes,
    acceptCompression: [],
  });
  const headers = { authorization: `Bearer ${token}` };
  const updates = createClient(Snapshots, transport).subscribe(messages, { headers, signal });
  return {
    updates,
    close() {
      closed = true;
      socket?.destroy();
    },
  };
}

function openSocket({ hostname, port }: URL, ca: string | undefined): TLSSocket {
  const host = hostname.replace(/^\[|\]$/g, '');
  const socket = connectTls({
    host,
    port: Number(port) || 443,
    // An address is no server name (RFC 6066 section 3).
    servername: isIP(host) === 0 ? host : '',
    ALPNProtocols: ['h2'],
    minVersion: 'TLSv1.3',
    ...(ca === undefined ? {} : { ca }),
  });
  const timer = setTimeout(() => {
    socket.destroy(new Error(`no connection in ${connectTimeout} ms`));
  }, connectTimeout);
  for (const event of ['secureConnect', 'close']) socket.once(event, () => clearTimeout(timer));
  return socket;
}
