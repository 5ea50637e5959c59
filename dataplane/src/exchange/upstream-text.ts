import { Field } from '../http1/field-names.ts';
import { requestText } from '../http1/request-text.ts';
import type { LinkedBackend } from '../link/runtime.ts';
import type { Exchange } from './exchange.ts';
import { rewrittenTarget } from './rewritten-target.ts';

/** The head of a request as its backend gets it. */
export function upstreamText(exchange: Exchange, backend: LinkedBackend): string {
  const { head, hidden, upstreamFields, client } = exchange;
  if (hidden) for (const index of hidden) head.codes[index] = Field.dropped;
  return requestText(head, {
    target: rewrittenTarget(exchange, exchange.rule?.rewrite),
    host: backend.host,
    edits: backend.requestEdits,
    forwarded: upstreamFields + client.forwardedLines(exchange),
    requestId: exchange.requestId,
  });
}
