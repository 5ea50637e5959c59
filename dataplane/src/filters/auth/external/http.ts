import type { IncomingHttpHeaders } from 'node:http';
import type { Outbound } from '../../outbound.ts';
import { type Ask, denied, mayBeSent, mostBodyBytes, safeLine } from './verdict.ts';

/** Fields of a refusal that the client gets: what it needs to log in, and what the body is. */
const passedOn = [
  'content-type',
  'content-language',
  'content-encoding',
  'www-authenticate',
  'location',
  'set-cookie',
  'cache-control',
  'retry-after',
];

/**
 * Sends the head of the request, without its body, to the service: the path behind that of `url`. 2xx
 * allows, 5xx says nothing, whatever else it answers is the answer to the client.
 */
export function askByHttp(outbound: Outbound, url: string): Ask {
  const { origin, pathname } = new URL(url);
  const prefix = pathname.replace(/\/$/, '');
  return async (view, timeout) => {
    const { status, headers, body } = await outbound.ask({
      origin,
      path: prefix + view.target,
      method: view.method,
      headers: latin1({
        ...view.headers,
        'x-forwarded-method': view.method,
        'x-forwarded-uri': view.target,
      }),
      timeout,
      mostBytes: mostBodyBytes,
      cut: true,
    });
    if (status >= 500) throw new Error(`the answer is ${status}`);
    if (status < 300) {
      return { kind: 'allowed', fields: fieldsOf(headers), removed: [], responseFields: '' };
    }
    const all = fieldsOf(headers);
    const lines = passedOn.flatMap((name) => {
      return (all.get(name) ?? []).map((value) => safeLine(name, value));
    });
    return denied(status, body, lines.join(''));
  };
}

/** Values are written as latin1: bytes go out as they came in. */
function latin1(headers: Record<string, string>): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => {
    return [name, Buffer.from(value, 'utf8').toString('latin1')];
  });
  return Object.fromEntries(entries);
}

function fieldsOf(headers: IncomingHttpHeaders): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && mayBeSent(name)) fields.set(name, [value].flat());
  }
  return fields;
}
