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
  let text = `HTTP/1.1 ${status} ${reasonOf(status)}\r\n${ownLines(reply, plan)}`;
  if (plan.close) text += 'connection: close\r\n';
  else if (plan.http10) text += 'connection: keep-alive\r\n';
  const head = Buffer.from(`${text}${plan.edits.append}\r\n`, 'latin1');
  const whole = hasBody(status) && !plan.noBody && body.length > 0;
  return whole ? Buffer.concat([head, body]) : head;
}

/** The field lines of a reply for a client whose version frames by other means than fields. */
export function replyLines(reply: Reply, plan: Pick<ReplyPlan, 'requestId' | 'edits'>): string {
  return ownLines(reply, plan) + plan.edits.append;
}

function ownLines(
  { status, fields, body }: Reply,
  { requestId, edits }: Pick<ReplyPlan, 'requestId' | 'edits'>,
): string {
  const text = hasBody(status) ? `${fields}content-length: ${body.length}\r\n` : fields;
  const own = `date: ${httpDate()}\r\nx-request-id: ${requestId}\r\n`;
  return text + withoutDropped(edits, own);
}

/** RFC 9110 sections 8.6 and 15.4.5. */
export function hasBody(status: number): boolean {
  return status !== 204 && status !== 304;
}
