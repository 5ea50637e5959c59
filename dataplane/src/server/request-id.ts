import { randomUUID } from 'node:crypto';
import type { RequestHead } from '../http1/request-head.ts';

const sane = /^[A-Za-z0-9._:+/=@-]{1,128}$/;

/** The client's x-request-id when it gave exactly one that is fit for logs, otherwise a new UUID. */
export function requestIdOf({ requestIdAt, message }: RequestHead): string {
  if (requestIdAt >= 0) {
    const given = message.valueAt(requestIdAt);
    if (sane.test(given)) return given;
  }
  return randomUUID();
}
