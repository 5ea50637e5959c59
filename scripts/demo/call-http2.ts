import { connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { text } from 'node:stream/consumers';
import type { Answer } from './call.ts';

/** Milliseconds until an answer must be there. */
const patience = 10_000;

export type Http2Request = { headers: OutgoingHttpHeaders; body: string | undefined };
export type Http2Caller = { call(request: Http2Request): Promise<Answer>; close(): void };

/**
 * Calls one after the other over one HTTP/2 connection.
 * @param port of the listener on this host.
 * @param name of the server in a handshake of TLS; undefined: by prior knowledge, without TLS.
 */
export function createHttp2Caller(
  port: number,
  name: string | undefined,
  authorities: string[],
): Http2Caller {
  const session =
    name === undefined
      ? connect(`http://127.0.0.1:${port}`)
      : connect(`https://127.0.0.1:${port}`, { servername: name, ca: authorities });
  // A request fails by it.
  session.on('error', () => undefined);
  return {
    call({ headers, body }) {
      const stream = session.request(headers, { endStream: body === undefined });
      if (body !== undefined) stream.end(body);
      stream.setTimeout(patience, () => stream.destroy(new Error('no answer within 10 s')));
      return new Promise((resolve, reject) => {
        stream.once('error', reject);
        stream.once('response', (fields) => {
          const { ':status': status = 0, ...rest } = fields as IncomingHttpHeaders & {
            ':status'?: number;
          };
          text(stream).then((body) => resolve({ status, headers: rest, text: body }), reject);
        });
      });
    },
    close: () => session.destroy(),
  };
}
