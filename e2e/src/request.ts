import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { httpPort } from './gatehouse.ts';

export type Answer = { status: number; body: string };

/** Asks the gateway on a connection of its own; Host is the authority of the URL. */
export function request(url: string, port = httpPort): Promise<Answer> {
  return requestWith(url, {}, port);
}

/** The same with further header fields. */
export function requestWith(
  url: string,
  headers: Record<string, string>,
  port = httpPort,
): Promise<Answer> {
  const { host, pathname, search } = new URL(url);
  return new Promise((resolve, reject) => {
    const options = { port, path: pathname + search, headers: { host, ...headers }, agent: false };
    const outgoing = httpRequest({ host: '127.0.0.1', ...options, timeout: 5000 });
    outgoing.on('response', (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in 5000 ms')));
    outgoing.on('error', reject);
    outgoing.end();
  });
}
