import { policySecretName } from '@gatehouse/snapshot';
import { LinkFault } from '../filter.ts';
import type { MethodContext } from './method.ts';

type SecretKeyRef = { name: string; key?: string };

/**
 * An entry of a Secret as text, without the line end that files have.
 * @throws LinkFault
 */
export function secretText(
  { name, key: given }: SecretKeyRef,
  fallback: string,
  path: string,
  { namespace, secret }: Pick<MethodContext, 'namespace' | 'secret'>,
): string {
  const key = given ?? fallback;
  const bytes = secret(policySecretName(namespace, name, key))?.[key];
  if (!bytes) throw new LinkFault(path, 'is not in the snapshot');
  return new TextDecoder().decode(bytes).replace(/\r?\n$/, '');
}

/** How a client of an authorization server says who it is. */
export type ClientCredentials = {
  /** Of the request. */
  headers: Record<string, string>;
  /** Of its form. */
  form: Record<string, string>;
};

/**
 * RFC 6749 section 2.3.1: by HTTP Basic with both parts form-encoded; a client without a secret names
 * itself in the form (section 3.2.1).
 */
export function clientCredentials(
  id: string | undefined,
  secret: string | undefined,
): ClientCredentials {
  if (id === undefined) return { headers: {}, form: {} };
  if (secret === undefined) return { headers: {}, form: { client_id: id } };
  const pair = `${formEncoded(id)}:${formEncoded(secret)}`;
  return {
    headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
    form: {},
  };
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
