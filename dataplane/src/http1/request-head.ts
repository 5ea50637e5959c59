import { normalisePath } from '../router/index.ts';
import { Field, type FieldCode, fieldCode } from './field-names.ts';
import type { Limits } from './limits.ts';
import type { Message } from './message.ts';

/** Why a request is answered before anything is forwarded; the connection is closed afterwards. */
export type Rejection = { status: number; error: string };

export const Body = { none: 0, length: 1, chunked: 2, untilClose: 3 } as const;
export type BodyKind = (typeof Body)[keyof typeof Body];

const bad = (error: string): Rejection => ({ status: 400, error });
const rejections = {
  version: { status: 505, error: 'HTTP version not supported' },
  target: bad('Invalid request target'),
  targetTooLong: { status: 414, error: 'URI too long' },
  headTooLarge: { status: 431, error: 'Request header fields too large' },
  host: bad('Invalid Host'),
  requestLine: bad('Invalid request line'),
  connect: { status: 405, error: 'CONNECT is not supported' },
  framing: bad('Invalid message framing'),
  coding: { status: 501, error: 'Transfer coding not supported' },
  expectation: { status: 417, error: 'Expectation failed' },
} satisfies Record<string, Rejection>;

/** RFC 3986 section 3.2.2 without userinfo, and without what only a confused parser would accept. */
const authority =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9.])?|\[[0-9A-Fa-f:.]{2,45}\])?(?::[0-9]{1,5})?$/;
const absoluteForm = /^https?:\/\/([^/?#]+)([^#]*)$/i;
const space = 0x20;
const slash = 0x2f;
const letterH = 0x48;

/**
 * The head of a request as the gateway understands it; one object a connection, read anew for each
 * request and valid until the exchange ends.
 */
export class RequestHead {
  method = '';
  /** Host with port, as sent (or as the absolute-form says, RFC 9112 section 3.2.2). */
  authority = '';
  /** Lower-case host without port; '' when the client sent none. */
  host = '';
  /** Request target as sent; of an absolute-form the part behind the authority. */
  target = '';
  /** Normalised path, or '*' (RFC 9112 section 3.2.4). */
  path = '';
  /** Without '?'; '' when there is none. */
  query = '';
  body: BodyKind = Body.none;
  /** Bytes; 0 unless `body` is `length`. */
  contentLength = 0;
  keepAlive = false;
  http10 = false;
  expectsContinue = false;
  /** True when the Host field must be written anew rather than passed on. */
  absolute = false;
  /** Field line that holds x-request-id or x-client-type; -1: none, or more than one. */
  requestIdAt = -1;
  clientTypeAt = -1;
  /** One FieldCode a field line. */
  readonly codes: FieldCode[] = [];
  readonly message: Message;
  #lastAuthority = '';
  #lastHost = '';

  constructor(message: Message) {
    this.message = message;
  }

  /** Reads the head that the message holds. Returns why it is refused, or undefined. */
  read(limits: Limits): Rejection | undefined {
    const { message } = this;
    this.body = Body.none;
    this.contentLength = 0;
    this.expectsContinue = false;
    this.absolute = false;
    this.method = message.method;
    this.keepAlive = message.keepAlive;
    if (message.targetEnd - message.targetStart > limits.targetBytes)
      return rejections.targetTooLong;
    if (message.text.length > limits.headBytes) return rejections.headTooLarge;
    if (message.fieldCount > limits.fields) return rejections.headTooLarge;
    return this.#readVersion() ?? this.#readFields() ?? this.#readTarget();
  }

  #readVersion(): Rejection | undefined {
    const { version, text, targetStart, targetEnd } = this.message;
    this.http10 = version === 10;
    if (this.method === 'CONNECT') return rejections.connect;
    if (this.message.framed) return undefined;
    if (version !== 11 && version !== 10)
      return version >= 20 ? rejections.version : rejections.requestLine;
    // llhttp takes more than one space (RFC 9112 section 3 allows to refuse it), and RTSP/ and ICE/.
    const strict =
      text.charCodeAt(targetStart - 2) !== space && text.charCodeAt(targetEnd + 1) === letterH;
    return strict ? undefined : rejections.requestLine;
  }

  #readFields(): Rejection | undefined {
    const { text, spans, fieldCount } = this.message;
    let hosts = 0;
    let codings = 0;
    let lengths = 0;
    let requestIds = 0;
    let nominated: string[] | undefined;
    this.requestIdAt = -1;
    this.clientTypeAt = -1;
    for (let i = 0; i < fieldCount; i++) {
      const code = fieldCode(text, spans[4 * i] ?? 0, spans[4 * i + 1] ?? 0);
      this.codes[i] = code;
      switch (code) {
        case Field.host:
          hosts++;
          this.authority = this.message.valueAt(i);
          break;
        case Field.contentLength:
          // llhttp has checked that it is a single run of digits.
          lengths++;
          this.contentLength = Number(this.message.valueAt(i));
          this.body = this.contentLength > 0 ? Body.length : Body.none;
          break;
        case Field.transferEncoding: {
          codings++;
          const problem = this.#transferCoding(this.message.valueAt(i).toLowerCase());
          if (problem) return problem;
          break;
        }
        case Field.connection:
          nominated = nominatedFields(this.message.valueAt(i), nominated);
          break;
        case Field.requestId:
          this.requestIdAt = ++requestIds === 1 ? i : -1;
          break;
        case Field.clientType:
          this.clientTypeAt = i;
          break;
        case Field.expect:
          // RFC 9110 section 10.1.1; HTTP/1.0 clients cannot mean it.
          if (this.message.valueAt(i).toLowerCase() !== '100-continue')
            return rejections.expectation;
          this.expectsContinue = !this.http10;
          break;
      }
    }
    if (nominated) dropNominated(this.message, this.codes, nominated);
    // RFC 9112 section 6.1: one coding, never with a length, never in HTTP/1.0.
    if (codings > 1 || (codings > 0 && (lengths > 0 || this.http10))) return rejections.framing;
    if (!Number.isSafeInteger(this.contentLength)) return rejections.framing;
    // RFC 9112 section 3.2: exactly one Host in HTTP/1.1, never two.
    if (hosts > 1 || (hosts === 0 && !this.http10)) return rejections.host;
    if (hosts === 0) this.authority = '';
    if (this.message.framed) this.body = framedBody(this.message, lengths > 0);
    return undefined;
  }

  /** RFC 9112 section 6.3, rule 4: a request whose last coding is not chunked has no knowable end. */
  #transferCoding(value: string): Rejection | undefined {
    this.body = Body.chunked;
    if (value === 'chunked') return undefined;
    return /,\s*chunked$/.test(value) ? rejections.coding : rejections.framing;
  }

  #readTarget(): Rejection | undefined {
    const { text, targetStart, targetEnd } = this.message;
    let target = text.slice(targetStart, targetEnd);
    this.target = target;
    if (target.charCodeAt(0) !== slash) {
      const absolute = absoluteForm.exec(target);
      if (absolute) {
        // RFC 9112 section 3.2.2: the target wins over Host.
        this.authority = absolute[1] ?? '';
        this.absolute = true;
        target = absolute[2]?.startsWith('/') ? absolute[2] : `/${absolute[2] ?? ''}`;
        this.target = target;
      } else if (target !== '*' || this.method !== 'OPTIONS') return rejections.target;
    }
    if (!this.#readHost()) return rejections.host;
    if (target === '*') {
      this.path = '*';
      this.query = '';
      return undefined;
    }
    if (target.includes('#')) return rejections.target;
    const mark = target.indexOf('?');
    this.query = mark < 0 ? '' : target.slice(mark + 1);
    const path = normalisePath(mark < 0 ? target : target.slice(0, mark));
    if (path === undefined) return rejections.target;
    this.path = path;
    return undefined;
  }

  /** Validates the authority and splits the port off; the last one of the connection is remembered. */
  #readHost(): boolean {
    if (this.authority === this.#lastAuthority) {
      this.host = this.#lastHost;
      return true;
    }
    if (!authority.test(this.authority)) return false;
    const host = this.authority.replace(/:[0-9]+$/, '').toLowerCase();
    this.host = host.endsWith('.') ? host.slice(0, -1) : host;
    this.#lastAuthority = this.authority;
    this.#lastHost = this.host;
    return true;
  }

  /** Where the request line begins in the text of the message. */
  get lineStart(): number {
    return this.message.targetStart - this.method.length - 1;
  }

  /** Index of the field line with this lower-case name; -1: none, -2: more than one. */
  lineOf(name: string): number {
    const { spans, fieldCount } = this.message;
    let found = -1;
    for (let i = 0; i < fieldCount; i++) {
      if ((spans[4 * i + 1] ?? 0) - (spans[4 * i] ?? 0) !== name.length) continue;
      if (this.codes[i] === Field.guarded) continue;
      if (this.message.nameAt(i).toLowerCase() !== name) continue;
      if (found >= 0) return -2;
      found = i;
    }
    return found;
  }

  /** Indices of all field lines with this lower-case name. */
  linesOf(name: string): number[] {
    const indices: number[] = [];
    for (let i = 0; i < this.message.fieldCount; i++) {
      if (this.message.nameAt(i).toLowerCase() === name) indices.push(i);
    }
    return indices;
  }

  /** Value of a field by lower-case name; several lines are joined (RFC 9110 section 5.3). */
  header(name: string): string | undefined {
    return fieldValue(this.message, name, this.codes);
  }
}

/** How a message that frames delimit (RFC 9113 section 8.1) is framed where it goes on in HTTP/1.1. */
export function framedBody({ messageDone }: Message, hasLength: boolean): BodyKind {
  if (messageDone) return Body.none;
  return hasLength ? Body.length : Body.chunked;
}

/** Value of a field in the head that `message` holds; several lines are joined, guarded ones left out. */
export function fieldValue(
  message: Message,
  name: string,
  codes?: readonly FieldCode[],
): string | undefined {
  const { spans, fieldCount } = message;
  let value: string | undefined;
  for (let i = 0; i < fieldCount; i++) {
    const start = spans[4 * i] ?? 0;
    if ((spans[4 * i + 1] ?? 0) - start !== name.length) continue;
    if (message.nameAt(i).toLowerCase() !== name || codes?.[i] === Field.guarded) continue;
    value = value === undefined ? message.valueAt(i) : `${value}, ${message.valueAt(i)}`;
  }
  return value;
}

/**
 * Names that a Connection field nominates (RFC 9110 section 7.6.1), lower-case; undefined while there
 * are none besides the options that every intermediary knows.
 */
export function nominatedFields(value: string, known: string[] | undefined): string[] | undefined {
  const lower = value.toLowerCase();
  if (lower === 'keep-alive' || lower === 'close') return known;
  let names = known;
  for (const token of lower.split(',')) {
    const name = token.trim();
    if (name === '' || name === 'close' || name === 'keep-alive') continue;
    names ??= [];
    names.push(name);
  }
  return names;
}

/** Marks the nominated field lines as dropped; fields with a meaning of their own keep it. */
export function dropNominated(message: Message, codes: FieldCode[], nominated: string[]) {
  for (let i = 0; i < message.fieldCount; i++) {
    if (codes[i] !== Field.ordinary && codes[i] !== Field.clientType) continue;
    if (nominated.includes(message.nameAt(i).toLowerCase())) codes[i] = Field.dropped;
  }
}
