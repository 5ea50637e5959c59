import { Field, type FieldCode } from '../http1/field-names.ts';
import type { Message } from '../http1/message.ts';
import { Body, fieldValue, type RequestHead } from '../http1/request-head.ts';

/**
 * The protocol that a request asks to switch to (RFC 9110 section 7.8), as far as its rule allows; '' when
 * there is none, and the request goes on as if it had not asked.
 */
export function wantedUpgrade(head: RequestHead, allowed: readonly string[] | undefined): string {
  // llhttp found Upgrade and a Connection that names it. A GET without a body ends with its head, so that
  // nobody can take what follows for part of it (RFC 6455 section 4.1 knows no other).
  if (!allowed || !head.message.upgrade || head.method !== 'GET' || head.http10) return '';
  if (head.body !== Body.none) return '';
  const offered = fieldValue(head.message, 'upgrade')?.toLowerCase().split(',') ?? [];
  return offered.map((name) => name.trim()).find((name) => allowed.includes(name)) ?? '';
}

/** Whether a 101 says that the backend speaks what it was asked for, and nothing that is no part of a 101. */
export function isSwitch(
  { message, codes }: { message: Message; codes: readonly FieldCode[] },
  protocol: string,
): boolean {
  if (!message.upgrade || fieldValue(message, 'upgrade')?.toLowerCase() !== protocol) return false;
  for (let i = 0; i < message.fieldCount; i++) {
    // RFC 9110 section 8.6 and RFC 9112 section 6.1: a 1xx has no framing of a body.
    if (codes[i] === Field.contentLength || codes[i] === Field.transferEncoding) return false;
  }
  return true;
}

/** The field lines that ask for a protocol, or tell of it. */
export function upgradeLines(protocol: string): string {
  return protocol === '' ? '' : `connection: upgrade\r\nupgrade: ${protocol}\r\n`;
}
