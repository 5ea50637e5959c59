import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { ConnectionOptions } from 'node:tls';

/** What a stream brought. */
export type Answer = {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  trailers: IncomingHttpHeaders | undefined;
  /** Statuses of 1xx responses. */
  interim: number[];
  /** Of RST_STREAM; 0 when the stream ended as it should, or was reset without an error. */
  code: number;
};

export type Asked = { stream: ClientHttp2Stream; answer: Promise<Answer> };

/** A client that speaks HTTP/2 on one connection. */
export class Http2Client {
  readonly session: ClientHttp2Session;
  /** Codes of GOAWAY frames that came, and the last stream that they name. */
  readonly goaways: { code: number; last: number }[] = [];
  readonly closed: Promise<void>;

  constructor(session: ClientHttp2Session) {
    this.session = session;
    session.on('error', () => undefined);
    session.on('goaway', (code, last) => this.goaways.push({ code, last }));
    this.closed = new Promise((resolve) => session.on('close', () => resolve()));
  }

  /** Begins a request, whose body is not ended unless `body` is given. */
  begin(fields: OutgoingHttpHeaders, ended = false): Asked {
    const stream = this.session.request(
      { ':path': '/', ':authority': 'a', ...fields },
      { endStream: ended },
    );
    return { stream, answer: answerOf(stream) };
  }

  /** Sends a request with its whole body, '' for none, and waits for the answer. */
  ask(fields: OutgoingHttpHeaders = {}, body = ''): Promise<Answer> {
    const { stream, answer } = this.begin(fields, body === '');
    if (body !== '') stream.end(body);
    return answer;
  }

  close() {
    this.session.destroy();
  }
}

function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  const answer: Answer = {
    status: 0,
    headers: {},
    body: '',
    trailers: undefined,
    interim: [],
    code: 0,
  };
  stream.on('headers', (fields) => answer.interim.push(fields[':status'] ?? 0));
  stream.on('response', (fields) => {
    answer.status = fields[':status'] ?? 0;
    answer.headers = fields;
  });
  stream.on('trailers', (fields) => {
    answer.trailers = fields;
  });
  stream.setEncoding('latin1');
  stream.on('data', (part: string) => {
    answer.body += part;
  });
  stream.on('error', () => undefined);
  return new Promise((resolve) =>
    stream.on('close', () => resolve({ ...answer, code: stream.rstCode ?? 0 })),
  );
}

/** Connects by prior knowledge. */
export function connectHttp2(port: number): Promise<Http2Client> {
  return connected(connect(`http://127.0.0.1:${port}`));
}

/** Connects by TLS and ALPN; certificates are not checked. */
export function connectHttp2Securely(
  port: number,
  options: ConnectionOptions = {},
): Promise<Http2Client> {
  return connected(connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false, ...options }));
}

function connected(session: ClientHttp2Session): Promise<Http2Client> {
  return new Promise((resolve, reject) => {
    session.once('error', reject);
    session.once('connect', () => resolve(new Http2Client(session)));
  });
}

/** The clients of a test, which are gone when it ends. */
export function http2Clients(port: () => number) {
  const open: Http2Client[] = [];

  async function track(client: Promise<Http2Client>): Promise<Http2Client> {
    const opened = await client;
    open.push(opened);
    return opened;
  }

  return {
    connect: () => track(connectHttp2(port())),
    connectSecurely: (options?: ConnectionOptions) => track(connectHttp2Securely(port(), options)),
    /** Sends a request on a connection of its own. */
    async ask(fields: OutgoingHttpHeaders = {}, body = ''): Promise<Answer> {
      return (await track(connectHttp2(port()))).ask(fields, body);
    },
    close() {
      for (const client of open.splice(0)) client.close();
    },
  };
}
