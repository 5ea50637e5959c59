import type { Check } from '../../examples/check.ts';
import { partsOf } from './call.ts';
import { httpsPort, portOf, type Target } from './target.ts';

/** The request of a check as a line for a shell. */
export function curlLine(check: Check, target: Target): string {
  const { method, host, path } = partsOf(check);
  if (check.webSocket !== undefined) {
    return `npx wscat -c ws://localhost:${target.http}${path} -x ${quoted(check.webSocket)}`;
  }
  if (check.grpc !== undefined) {
    const { proto, message } = check.grpc;
    const metadata = Object.entries(check.headers ?? {}).map(
      ([name, value]) => `-H ${quoted(`${name}: ${value}`)} `,
    );
    return `grpcurl -plaintext -proto ${proto} ${metadata.join('')}-d ${quoted(JSON.stringify(message))} localhost:${target.http} ${path.slice(1)}`;
  }
  const words = ['curl'];
  const { servedBy, servedByOne } = check.expect;
  const count = servedByOne ?? Object.values(servedBy ?? {}).reduce((sum, n) => sum + n, 0);
  if (count > 0) words.push('-s', '-o', '/dev/null', '-w', quoted('%header{x-served-by}\\n'));
  else words.push(check.events === undefined ? '-i' : '-iN');
  if (method !== (check.body === undefined ? 'GET' : 'POST')) words.push('-X', method);
  for (const [name, value] of Object.entries(check.headers ?? {})) {
    words.push('-H', quoted(`${name}: ${value}`));
  }
  if (check.body !== undefined) {
    words.push('-H', quoted('content-type: application/json'));
    words.push('-d', quoted(JSON.stringify(check.body)));
  }
  if (check.http2) words.push(host === undefined ? '--http2-prior-knowledge' : '--http2');
  if (check.tlsMax !== undefined) words.push('--tls-max', check.tlsMax);
  const port = host === undefined ? target.http : portOf(target, httpsPort);
  if (host !== undefined) words.push('-k', '--resolve', `${host}:${port}:127.0.0.1`);
  const url =
    host === undefined ? `http://localhost:${port}${path}` : `https://${host}:${port}${path}`;
  // A range is sent over one connection: one thread of one data plane counts.
  const more = count > 0 ? `${path.includes('?') ? '&' : '?'}n=[1-${count}]` : '';
  words.push(/[?&[]/.test(url + more) ? quoted(url + more) : url);
  return words.join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
