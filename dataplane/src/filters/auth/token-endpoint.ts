import { type Outbound, placeOf } from '../outbound.ts';
import type { ClientCredentials } from './client-credentials.ts';

/** The longest answer of an authorization server that is read, in bytes. */
export const mostAnswerBytes = 65_536;

export type FormAnswer = { status: number; json: Record<string, unknown> };

/**
 * Posts a form to an authorization server (RFC 6749 section 3.2, RFC 7662 section 2.1), which answers
 * with a JSON object.
 * @throws Error which says nothing of what was sent or answered
 */
export async function postForm(
  outbound: Outbound,
  url: string,
  credentials: ClientCredentials,
  form: Record<string, string>,
  timeout: number,
): Promise<FormAnswer> {
  const { status, headers, body } = await outbound.ask({
    ...placeOf(url),
    method: 'POST',
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      ...credentials.headers,
    },
    body: new URLSearchParams({ ...form, ...credentials.form }).toString(),
    timeout,
    mostBytes: mostAnswerBytes,
  });
  if (status >= 300 && status < 400) throw new Error(`the answer is ${status}, a redirect`);
  const coding = headers['content-encoding'] ?? 'identity';
  if (coding !== 'identity') throw new Error(`the answer is ${status}, and compressed`);
  const type = String(headers['content-type'] ?? '')
    .split(';')[0]
    ?.trim()
    .toLowerCase();
  if (!/^application\/(?:[\w.-]+\+)?json$/.test(type ?? '')) {
    throw new Error(`the answer is ${status}, and not JSON by its content-type`);
  }
  return { status, json: objectIn(body, status) };
}

function objectIn(body: Buffer, status: number): Record<string, unknown> {
  const text = body.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`the answer is ${status}, and not valid JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`the answer is ${status}, and not a JSON object`);
  }
  return value as Record<string, unknown>;
}
