import { httpDate } from '../state/date.ts';
import { type Edits, withoutDropped } from './edits.ts';
import { type Reply, reasonOf } from './reply.ts';

export type ReplyPlan = {
  requestId: string;
  edits: Edits;
  close: boolean;
  http10: boolean;
  /** The request was HEAD (RFC 9110 section 9.3.2). */
  noBody: boolean;
};

/** A reply of the gateway as bytes for an HTTP/1.1 or 1.0 client. */
export function replyText(reply: Reply, plan: ReplyPlan): Buffer {
  const { status, body } = reply;
  // RFC 9110 sections 8.6 and 15.4.5.
  const bodiless = status === 204 || status === 304;
  let text = `HTTP/1.1 ${status} ${reasonOf(status)}\r\n${reply.fields}`;
  if (!bodiless) text += `content-length: ${body.length}\r\n`;
  const own = `date: ${httpDate()}\r\nx-request-id: ${plan.requestId}\r\n`;
  text += withoutDropped(plan.edits, own);
  if (plan.close) text += 'connection: close\r\n';
  else if (plan.http10) text += 'connection: keep-alive\r\n';
  const head = Buffer.from(`${text}${plan.edits.append}\r\n`, 'latin1');
  return bodiless || plan.noBody || body.length === 0 ? head : Buffer.concat([head, body]);
}
