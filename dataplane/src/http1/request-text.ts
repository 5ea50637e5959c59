import { type Edits, noEdits, withoutDropped } from './edits.ts';
import { Field } from './field-names.ts';
import { codeSet, keptFields } from './head-text.ts';
import { Body, type RequestHead } from './request-head.ts';

/** What is decided about a request before it is written to an upstream. */
export type RequestPlan = {
  /** Path with query, as the upstream sees it. */
  target: string;
  /** '' keeps the client's. */
  host: string;
  edits: Edits;
  /** x-forwarded-*, forwarded and via lines of the connection, then "x-request-id: ". */
  forwarded: string;
  requestId: string;
};

const plainEnd = '\r\n\r\n';
const chunkedEnd = '\r\ntransfer-encoding: chunked\r\n\r\n';
const always = codeSet(
  Field.ordinary,
  Field.clientType,
  Field.contentLength,
  Field.expect,
  Field.date,
);
const withHost = always | codeSet(Field.host);

/**
 * The head of the request for an HTTP/1.1 upstream. Hop-by-hop fields are gone, framing is ours, the
 * rest is passed on as it came (RFC 9110 section 7.6).
 */
export function requestText(head: RequestHead, plan: RequestPlan): string {
  const { edits } = plan;
  const rewritesHost = plan.host !== '' || head.absolute || head.authority === '';
  // Mostly the client's own request line and fields can be copied in one piece.
  const sameLine = plan.target === head.target && !head.http10 && !rewritesHost;
  let text = sameLine ? '' : `${head.method} ${plan.target} HTTP/1.1\r\n`;
  if (rewritesHost) text += `host: ${plan.host === '' ? head.authority : plan.host}\r\n`;
  const from = sameLine ? head.lineStart : -1;
  text += keptFields(head.message, head.codes, rewritesHost ? always : withHost, edits, from);
  const end = head.body === Body.chunked ? chunkedEnd : plainEnd;
  if (edits === noEdits) return text + plan.forwarded + plan.requestId + end;
  text += withoutDropped(edits, `${plan.forwarded + plan.requestId}\r\n`);
  return text + edits.append + end.slice(2);
}
