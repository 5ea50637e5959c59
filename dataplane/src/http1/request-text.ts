import { type Edits, withoutDropped } from './edits.ts';
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
  /** x-forwarded-*, forwarded and via lines of the connection. */
  forwarded: string;
  requestId: string;
};

const always = codeSet(Field.ordinary, Field.clientType, Field.contentLength, Field.expect);
const withHost = always | codeSet(Field.host);

/**
 * The head of the request for an HTTP/1.1 upstream. Hop-by-hop fields are gone, framing is ours, the
 * rest is passed on as it came (RFC 9110 section 7.6).
 */
export function requestText(head: RequestHead, plan: RequestPlan): string {
  const { edits } = plan;
  const rewritesHost = plan.host !== '' || head.absolute || head.authority === '';
  let text = `${head.method} ${plan.target} HTTP/1.1\r\n`;
  if (rewritesHost) text += `host: ${plan.host === '' ? head.authority : plan.host}\r\n`;
  text += keptFields(head.parser, head.codes, rewritesHost ? always : withHost, edits);
  const own = `${plan.forwarded}x-request-id: ${plan.requestId}\r\n`;
  text += edits.lengths === 0 ? own : withoutDropped(edits, own);
  if (head.body === Body.chunked) text += 'transfer-encoding: chunked\r\n';
  return `${text + edits.append}\r\n`;
}
