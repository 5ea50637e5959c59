import type { Exchange } from '../../../exchange/exchange.ts';
import { Field } from '../../../http1/field-names.ts';
import { Body, type RequestHead } from '../../../http1/request-head.ts';
import type { RequestView } from './verdict.ts';

/** Fields that say where a request comes from: the service gets ours, like the upstream. */
const passedOn = new Set<number>([Field.ordinary, Field.clientType]);

/** @param names lower-case names of the fields that are shown; undefined: all */
export function viewOf(exchange: Exchange, names: ReadonlySet<string> | undefined): RequestView {
  const { head, requestId, client } = exchange;
  return {
    id: requestId,
    method: head.method,
    target: targetOf(head),
    authority: head.authority,
    scheme: client.scheme,
    clientAddress: exchange.clientAddress,
    bodySize: head.body === Body.chunked ? -1 : head.contentLength,
    protocol: head.http10 ? 'HTTP/1.0' : 'HTTP/1.1',
    headers: { ...fieldsOf(head, names), ...forwardedFields(exchange) },
  };
}

function targetOf({ path, query }: RequestHead): string {
  const target = path === '*' ? '/' : path;
  return query === '' ? target : `${target}?${query}`;
}

/** What the upstream will get as well; several lines are joined (RFC 9110 section 5.3). */
function fieldsOf(head: RequestHead, names: ReadonlySet<string> | undefined) {
  const { message } = head;
  const fields = new Map<string, string>();
  for (let i = 0; i < message.fieldCount; i++) {
    if (!passedOn.has(head.codes[i] ?? Field.dropped)) continue;
    const name = message.nameAt(i).toLowerCase();
    if (names && !names.has(name)) continue;
    const before = fields.get(name);
    const value = Buffer.from(message.valueAt(i), 'latin1').toString('utf8');
    // RFC 9113 section 8.2.3: pieces of a cookie are joined by a semicolon.
    const separator = name === 'cookie' ? '; ' : ', ';
    fields.set(name, before === undefined ? value : before + separator + value);
  }
  return Object.fromEntries(fields);
}

/** x-forwarded-*, forwarded, via and x-request-id as the upstream gets them. */
export function forwardedFields(exchange: Exchange): Record<string, string> {
  const fields: Record<string, string> = {};
  const lines = exchange.client.forwardedLines(exchange) + exchange.requestId;
  for (const line of lines.split('\r\n')) {
    const colon = line.indexOf(':');
    fields[line.slice(0, colon)] = line.slice(colon + 1).trim();
  }
  return fields;
}
