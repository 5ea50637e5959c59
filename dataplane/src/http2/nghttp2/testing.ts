import { type ClientHttp2Session, connect, createServer, type Http2Server } from 'node:http2';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket,
  connect as tcp,
} from 'node:net';
import type { Head } from './head.ts';
import type { SessionLimits } from './nghttp2.ts';
import { Session } from './session.ts';
import type { SessionOwner } from './session-owner.ts';
import type { Stream, StreamOwner } from './stream.ts';

export const testLimits: SessionLimits = {
  mostStreams: 2000,
  streamWindow: 65_535,
  connectionWindow: 1_048_576,
  mostListSize: 131_072,
  mostFields: 256,
  mostMemory: 16_777_216,
};

/** What came on a stream, as text. */
export class Recorded implements StreamOwner {
  readonly heads: string[] = [];
  readonly fields: string[][] = [];
  body = '';
  bytes = 0;
  trailers: readonly string[] | undefined;
  ended = false;
  code: number | undefined;
  writable = 0;
  stream: Stream | undefined;
  readonly closed: Promise<number>;
  onHeadDone: (head: Head) => void = () => undefined;
  onPiece: () => void = () => undefined;
  onWhole: () => void = () => undefined;
  onRoom: () => void = () => undefined;
  #tellClosed: (code: number) => void = () => undefined;

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
  }

  onHead(head: Head) {
    this.heads.push(head.text);
    this.fields.push(head.list());
    this.onHeadDone(head);
    if (head.ended) this.#end([]);
  }

  onData(chunk: Buffer, from: number, to: number) {
    this.bytes += to - from;
    if (this.bytes < 100_000) this.body += chunk.toString('latin1', from, to);
    this.onPiece();
  }

  onEnd(trailers: readonly string[]) {
    this.#end(trailers);
  }

  #end(trailers: readonly string[]) {
    this.trailers = trailers;
    this.ended = true;
    this.onWhole();
  }

  onWritable() {
    this.writable++;
    this.onRoom();
  }

  onClose(code: number) {
    this.code = code;
    this.#tellClosed(code);
  }
}

/** An owner that takes every stream by `serve`. */
export function ownerOf(
  serve: (stream: Stream) => StreamOwner,
  told: Partial<SessionOwner> = {},
): SessionOwner {
  return {
    onStream: serve,
    onSettings: () => undefined,
    onGoaway: () => undefined,
    onPong: () => undefined,
    onPing: () => undefined,
    onClose: () => undefined,
    ...told,
  };
}

export type Served = {
  client: ClientHttp2Session;
  session: Session;
  close(): Promise<void>;
};

/** node:http2 as the client of a session of ours. */
export async function serveNode(
  serve: (stream: Stream) => StreamOwner,
  limits: Partial<SessionLimits> = {},
): Promise<Served> {
  const accepted = Promise.withResolvers<Session>();
  const server = createTcpServer({ noDelay: true }, (socket) => {
    accepted.resolve(new Session(socket, 'server', { ...testLimits, ...limits }, ownerOf(serve)));
  });
  const client = connect(`http://127.0.0.1:${await listening(server)}`);
  client.on('error', () => undefined);
  const session = await accepted.promise;
  return {
    client,
    session,
    close: async () => {
      client.destroy();
      session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type Asking = { session: Session; server: Http2Server; close(): Promise<void> };

/** node:http2 as the server of a session of ours. */
export async function askNode(
  server: Http2Server = createServer(),
  told: Partial<SessionOwner> = {},
): Promise<Asking> {
  const socket: Socket = tcp(await listening(server), '127.0.0.1');
  const ready = Promise.withResolvers<void>();
  const session = new Session(
    socket,
    'client',
    testLimits,
    ownerOf(() => new Recorded(), {
      ...told,
      onSettings: (most) => {
        told.onSettings?.(most);
        ready.resolve();
      },
    }),
  );
  await ready.promise;
  return {
    session,
    server,
    close: async () => {
      session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listening(server: {
  listen(port: number, host: string, done: () => void): unknown;
  address(): unknown;
}) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
