import type { Reply } from '../../../http1/reply.ts';
import { fieldValueOf, UnsafeValue } from '../field-value.ts';

/** What an authorization service says about a request. */
export type Verdict =
  | {
      kind: 'allowed';
      /** Fields of its answer by lower-case name. */
      fields: ReadonlyMap<string, readonly string[]>;
      /** Lower-case names of fields of the request that the upstream does not get. */
      removed: readonly string[];
      /** Complete field lines for the client. */
      responseFields: string;
    }
  | { kind: 'denied'; reply: Reply };

/** Asks the service. `timeout` in milliseconds. @throws Error when it does not say anything usable. */
export type Ask = (view: RequestView, timeout: number) => Promise<Verdict>;

/** The head of a request as a service gets it, copied before anything waits. */
export type RequestView = {
  id: string;
  method: string;
  /** Normalised, as the Route was found, with the query. */
  target: string;
  authority: string;
  scheme: string;
  clientAddress: string;
  /** Bytes; -1 when unknown. */
  bodySize: number;
  protocol: string;
  /** Lower-case names; text as UTF-8. */
  headers: Record<string, string>;
};

/** The longest body of a refusal, in bytes. */
export const mostBodyBytes = 65_536;

/** Framing and connection are ours (RFC 9110 section 7.6.1), as are the id and the date. */
const ours =
  /^(?:connection|content-length|transfer-encoding|keep-alive|te|trailer|upgrade|http2-settings|proxy-.*|host|date|x-request-id|:.*)$/;
const token = /^[a-z0-9!#$%&'*+\-.^_`|~]+$/;

export function mayBeSent(name: string): boolean {
  return token.test(name) && !ours.test(name);
}

/** @throws UnsafeValue when the value cannot stand in a field line */
export function fieldLine(name: string, value: string): string {
  return `${name}: ${fieldValueOf(value)}\r\n`;
}

/** The same; '' for a value that cannot stand there. */
export function safeLine(name: string, value: string): string {
  try {
    return fieldLine(name, value);
  } catch (error) {
    if (error instanceof UnsafeValue) return '';
    throw error;
  }
}

/** The refusal that the client gets. A status that no answer with a body can have becomes 403. */
export function denied(status: number, body: Buffer, fields: string): Verdict {
  const usable =
    Number.isInteger(status) && status >= 200 && status <= 599 && ![204, 205, 304].includes(status);
  return { kind: 'denied', reply: { status: usable ? status : 403, body, fields } };
}
