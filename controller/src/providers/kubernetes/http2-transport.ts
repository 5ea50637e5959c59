import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
} from 'node:http2';
import { isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import {
  type Answer,
  deadline,
  type Outgoing,
  type Pulse,
  silent,
  type Transport,
  within,
} from './transport.ts';

const mebibyte = 1024 * 1024;
/** What a server may send before it is read, of one answer and of all. */
const [streamWindow, sessionWindow] = [2 * mebibyte, 16 * mebibyte];
/** Streams on one connection, whatever the server allows; API servers allow 100 and more. */
const mostStreams = 90;

interface Session {
  http2: ClientHttp2Session;
  /** Requests that it is used for. */
  streams: number;
}

/**
 * HTTP/2: all requests and watches on one connection, on a few when there are many. Pings tell within
 * seconds that a peer is silent, be it a dead network, a hung server or something in between.
 * @param socket made with ALPN "h2", ready for use.
 * @param next makes another one.
 */
export function http2Transport(
  base: URL,
  socket: TLSSocket,
  next: () => Promise<TLSSocket>,
  pulse: Pulse,
): Transport {
  const sessions = new Set<Session>();
  let connecting: Promise<Session> | undefined;

  function begin(secure: TLSSocket): Session {
    const http2 = connectHttp2(base.origin, {
      createConnection: () => secure,
      settings: { enablePush: false, initialWindowSize: streamWindow },
    });
    const session = { http2, streams: 0 };
    sessions.add(session);
    http2.once('connect', () => http2.setLocalWindowSize(sessionWindow));
    const stop = watch(http2, pulse);
    // Its streams tell what went wrong.
    http2.on('error', () => undefined);
    http2.once('close', () => {
      stop();
      sessions.delete(session);
    });
    return session;
  }

  async function free(signal: AbortSignal): Promise<Session> {
    for (;;) {
      for (const session of sessions) {
        const { http2, streams } = session;
        const most = Math.min(
          mostStreams,
          http2.remoteSettings?.maxConcurrentStreams ?? mostStreams,
        );
        if (!http2.closed && !http2.destroyed && streams < most) return session;
      }
      connecting ??= next()
        .then(begin)
        .finally(() => {
          connecting = undefined;
        });
      await within(connecting, signal);
    }
  }

  async function open(outgoing: Outgoing): Promise<Answer> {
    const session = await free(outgoing.signal);
    session.streams++;
    const { method, path, headers, body, signal } = outgoing;
    const stream = session.http2.request(
      { ':method': method, ':path': path, ...headers },
      { signal, endStream: body === undefined },
    );
    stream.once('close', () => {
      session.streams--;
    });
    if (body !== undefined) stream.end(body);
    return answerOf(stream);
  }

  begin(socket);
  return {
    open,
    retire() {
      for (const { http2 } of sessions) http2.close();
    },
    close() {
      for (const { http2 } of sessions) http2.destroy();
    },
  };
}

function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  return new Promise((resolve, reject) => {
    stream.once('response', ({ ':status': status = 0, ...headers }) =>
      resolve({ status, headers, body: stream }),
    );
    stream.once('error', reject);
    // One that is cut before its answer ends without any error.
    stream.once('close', () => reject(new Error('the API server closed the connection')));
  });
}

/** Pings the server again and again, and cuts the connection when it does not answer in time. */
function watch(session: ClientHttp2Session, { interval, timeout }: Pulse): () => void {
  let late: { stop(): void } | undefined;
  const timer = setInterval(() => {
    if (late !== undefined || session.destroyed) return;
    late = deadline(timeout, () => session.destroy(new Error(silent)));
    session.ping(() => {
      late?.stop();
      late = undefined;
    });
  }, interval);
  return () => {
    clearInterval(timer);
    late?.stop();
  };
}

/**
 * Opens a connection and asks for HTTP/2.
 * @throws Error when it takes longer than `timeout` milliseconds or fails.
 */
export function connectSecurely(base: URL, trust: object, timeout: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const host = base.hostname.replace(/^\[|\]$/g, '');
    const socket = connectTls({
      host,
      port: Number(base.port) || 443,
      ALPNProtocols: ['h2', 'http/1.1'],
      // An address is no server name (RFC 6066 section 3).
      servername: isIP(host) === 0 ? host : '',
      ...trust,
    });
    const late = deadline(timeout, () => {
      socket.destroy(new Error(`no connection within ${timeout} ms`));
    });
    socket.once('secureConnect', () => {
      late.stop();
      socket.setNoDelay(true);
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
    socket.once('close', () => {
      late.stop();
      reject(new Error('the API server closed the connection'));
    });
  });
}
