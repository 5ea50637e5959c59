import { createClient } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { type FromDataPlane, Snapshots, type Update } from '@gatehouse/snapshot';

const mebibyte = 1024 * 1024;
/** Largest update that is read. */
const updateBytes = 64 * mebibyte;
/** Largest Hello that is written: the manifest of about 200,000 resources. */
const helloBytes = 16 * mebibyte;
/** A silent controller is noticed after at most the sum, in milliseconds. */
const pings = { pingIntervalMs: 10_000, pingTimeoutMs: 5_000 };

export interface Address {
  /** https://host:port of the controller. */
  url: string;
  /** PEM of the authority that signed the certificate of the controller; those of the system when undefined. */
  ca: string | undefined;
}

export interface Connection {
  updates: AsyncIterable<Update>;
  /** Closes the socket at once. */
  close(): void;
}

/** Opens one stream on a connection of its own. Errors come out of `updates`. */
export function connect(
  { url, ca }: Address,
  token: string,
  messages: AsyncIterable<FromDataPlane>,
  signal: AbortSignal,
): Connection {
  const session = new Http2SessionManager(url, pings, {
    minVersion: 'TLSv1.3',
    settings: { initialWindowSize: mebibyte, enablePush: false },
    ...(ca === undefined ? {} : { ca }),
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
  return { updates, close: () => session.abort() };
}
