import { Field } from '../http1/field-names.ts';
import { requestText } from '../http1/request-text.ts';
import type { LinkedBackend } from '../link/runtime.ts';
import { now } from '../state/clock.ts';
import type { Exchange } from './exchange.ts';
import { timeoutField } from './overrides.ts';
import { rewrittenTarget } from './rewritten-target.ts';
import { upgradeLines } from './upgrade.ts';

/**
 * The head of a request as its backend gets it.
 * @param end when it has to be answered, on the clock of `now()`; Infinity when there is no limit.
 */
export function upstreamText(exchange: Exchange, backend: LinkedBackend, end: number): string {
  const { head, hidden, upgrade, upstreamFields, client } = exchange;
  if (hidden) for (const index of hidden) head.codes[index] = Field.dropped;
  const deadline = end === Number.POSITIVE_INFINITY ? '' : timeoutLine(end - now());
  return requestText(head, {
    target: rewrittenTarget(exchange, exchange.rule?.rewrite),
    host: backend.host,
    edits: backend.requestEdits,
    forwarded: upgradeLines(upgrade) + upstreamFields + deadline + client.forwardedLines(exchange),
    requestId: exchange.requestId,
  });
}

function timeoutLine(left: number): string {
  return `${timeoutField}: ${Math.max(1, Math.ceil(left))}\r\n`;
}
