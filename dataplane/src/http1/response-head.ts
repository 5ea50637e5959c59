import { httpDate } from '../state/date.ts';
import { type Edits, noEdits, withoutDropped } from './edits.ts';
import { Field, type FieldCode, fieldCode } from './field-names.ts';
import { codeSet, keptFields } from './head-text.ts';
import type { Message } from './message.ts';
import { Body, type BodyKind, dropNominated, framedBody, nominatedFields } from './request-head.ts';

const letterH = 0x48;

/** The head of a response; one object an upstream connection, valid until the next response begins. */
export class ResponseHead {
  status = 0;
  body: BodyKind = Body.none;
  /** Bytes; 0 unless `body` is `length`. */
  contentLength = 0;
  /** It has a Date. */
  dated = false;
  /** Whether the upstream keeps the connection open. */
  keepAlive = false;
  /** Milliseconds of the Keep-Alive timeout the upstream announced; 0: none. */
  keepAliveHint = 0;
  readonly codes: FieldCode[] = [];
  readonly message: Message;

  constructor(message: Message) {
    this.message = message;
  }

  /** Reads the head that the message holds. False: its framing cannot be trusted (RFC 9112 section 6.3). */
  read(): boolean {
    const { message } = this;
    // llhttp reads RTSP/ and ICE/ too, and any three digits (RFC 9110 section 15: 100 to 599).
    if (message.text.charCodeAt(0) !== letterH || message.status < 100) return false;
    this.status = message.status;
    this.keepAlive = message.keepAlive;
    this.keepAliveHint = 0;
    this.contentLength = 0;
    this.dated = false;
    let length = false;
    let codings = 0;
    let nominated: string[] | undefined;
    for (let i = 0; i < message.fieldCount; i++) {
      const code = fieldCode(
        message.text,
        message.spans[4 * i] ?? 0,
        message.spans[4 * i + 1] ?? 0,
      );
      this.codes[i] = code;
      if (code === Field.contentLength) {
        length = true;
        this.contentLength = Number(message.valueAt(i));
      } else if (code === Field.transferEncoding) {
        codings++;
        if (message.valueAt(i).toLowerCase() !== 'chunked') return false;
      } else if (code === Field.date) {
        this.dated = true;
      } else if (code === Field.connection) {
        nominated = nominatedFields(message.valueAt(i), nominated);
      } else if (code === Field.dropped) this.#readKeepAlive(i);
    }
    if (nominated) dropNominated(message, this.codes, nominated);
    if (codings > 1 || (codings > 0 && (length || message.version === 10))) return false;
    if (!Number.isSafeInteger(this.contentLength) || (message.version > 11 && !message.framed))
      return false;
    this.body = this.#bodyKind(codings > 0, length);
    if (this.body === Body.untilClose) this.keepAlive = false;
    return true;
  }

  /** RFC 9112 section 6.3, rules 1 and 4 to 8. */
  #bodyKind(chunked: boolean, length: boolean): BodyKind {
    const { status } = this;
    if (this.message.noBody || status === 204 || status === 304 || status < 200) return Body.none;
    if (this.message.framed) return framedBody(this.message, length);
    if (chunked) return Body.chunked;
    if (length) return this.contentLength > 0 ? Body.length : Body.none;
    return Body.untilClose;
  }

  #readKeepAlive(index: number) {
    if (this.message.nameAt(index).length !== 10) return;
    const hint = /(?:^|[\s,])timeout=(\d{1,6})/i.exec(this.message.valueAt(index));
    if (hint) this.keepAliveHint = Number(hint[1]) * 1000;
  }

  get reason(): string {
    const { text, targetStart, targetEnd } = this.message;
    return text.slice(targetStart, targetEnd);
  }
}

/** What becomes of the fields of a response. */
export type PassedPlan = {
  edits: Edits;
  requestId: string;
  /** Further field lines, each ended by CRLF. */
  own: string;
};

/** How the response is framed for the client. */
export type ResponsePlan = PassedPlan & {
  /** The client speaks HTTP/1.0: no chunks (RFC 9112 section 6.1). */
  http10: boolean;
  close: boolean;
};

const keptAlways = codeSet(
  Field.ordinary,
  Field.host,
  Field.expect,
  Field.clientType,
  Field.date,
  Field.forwardedFor,
  Field.forwardedProto,
  Field.forwardedHost,
  Field.forwardedPort,
  Field.forwarded,
);
/** Where the reason begins in "HTTP/1.1 200 OK". */
const statusLineStart = 13;
const keptWithLength = keptAlways | codeSet(Field.contentLength);

/** The head of the response for an HTTP/1.1 or 1.0 client. */
export function responseText(head: ResponseHead, plan: ResponsePlan): string {
  const { message } = head;
  // The status line of an HTTP/1.1 upstream that is as ours would be is copied with the fields.
  const sameLine = message.targetStart === statusLineStart && message.version === 11;
  let text = sameLine ? '' : `HTTP/1.1 ${head.status} ${head.reason}\r\n`;
  text += passedLines(head, plan, sameLine ? 0 : -1);
  if (head.body === Body.chunked || head.body === Body.untilClose) {
    if (!plan.http10) text += 'transfer-encoding: chunked\r\n';
  }
  if (plan.close) text += 'connection: close\r\n';
  else if (plan.http10) text += 'connection: keep-alive\r\n';
  return `${text + plan.edits.append}\r\n`;
}

/** What is passed on whatever version the client speaks, and what we add to it; not `edits.append`. */
function passedLines(head: ResponseHead, plan: PassedPlan, from: number): string {
  // RFC 9110 section 8.6: no Content-Length in 204.
  const keep = head.status === 204 ? keptAlways : keptWithLength;
  let text = keptFields(head.message, head.codes, keep, plan.edits, from);
  // RFC 9110 section 6.6.1: a recipient that passes a response on appends the Date it lacks.
  if (!head.dated) text += withoutDropped(plan.edits, `date: ${httpDate()}\r\n`);
  const own = `${plan.own}x-request-id: ${plan.requestId}\r\n`;
  return text + (plan.edits.lengths === 0 ? own : withoutDropped(plan.edits, own));
}

/** The field lines of the response for a client whose version frames by other means than fields. */
export function framedLines(head: ResponseHead, plan: PassedPlan): string {
  return passedLines(head, plan, -1) + plan.edits.append;
}

/** The field lines of a 1xx response. */
export function informationalLines(head: ResponseHead): string {
  return keptFields(head.message, head.codes, keptAlways, noEdits);
}

/** A 1xx response, passed on as it came without hop-by-hop fields (RFC 9110 section 15.2). */
export function informationalText(head: ResponseHead, edits: Edits): string {
  return `HTTP/1.1 ${head.status} ${head.reason}\r\n${keptFields(head.message, head.codes, keptAlways, edits)}\r\n`;
}

/** A 101, with the lines that name the protocol in `own` (RFC 9110 section 15.2.2). */
export function switchText(head: ResponseHead, { edits, requestId, own }: PassedPlan): string {
  const fields = keptFields(head.message, head.codes, keptAlways, edits);
  const added = withoutDropped(edits, `${own}x-request-id: ${requestId}\r\n`) + edits.append;
  return `HTTP/1.1 101 ${head.reason}\r\n${fields}${added}\r\n`;
}
