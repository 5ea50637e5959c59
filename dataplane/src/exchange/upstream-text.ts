import { Field } from '../http1/field-names.ts';
import { fieldValue, type RequestHead } from '../http1/request-head.ts';
import { requestText } from '../http1/request-text.ts';
import { grpcTimeoutText } from '../http2/grpc-request.ts';
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
  if (exchange.grpc && end !== Number.POSITIVE_INFINITY) dropTimeout(head);
  if (hidden) for (const index of hidden) head.codes[index] = Field.dropped;
  const deadline = end === Number.POSITIVE_INFINITY ? '' : timeoutLine(exchange, end - now());
  const trailers = backend.upstream?.settings.pool.http2 === true ? trailersLine(head) : '';
  return requestText(head, {
    target: rewrittenTarget(exchange, exchange.rule?.rewrite),
    host: backend.host,
    edits: backend.requestEdits,
    forwarded:
      upgradeLines(upgrade) +
      upstreamFields +
      trailers +
      deadline +
      client.forwardedLines(exchange),
    requestId: exchange.requestId,
  });
}

function timeoutLine({ grpc }: Exchange, left: number): string {
  const own = `${timeoutField}: ${Math.max(1, Math.ceil(left))}\r\n`;
  return grpc ? `${own}grpc-timeout: ${grpcTimeoutText(left)}\r\n` : own;
}

/** The deadline of the client is ours as well, and goes on as what is left of it. */
function dropTimeout(head: RequestHead) {
  for (const index of head.linesOf('grpc-timeout')) head.codes[index] = Field.dropped;
}

/** RFC 9113 section 8.2.2: all that TE may say. */
function trailersLine({ message }: RequestHead): string {
  const value = fieldValue(message, 'te')?.toLowerCase();
  return value !== undefined && /(?:^|[, ])trailers(?:$|[, ])/.test(value)
    ? 'te: trailers\r\n'
    : '';
}
