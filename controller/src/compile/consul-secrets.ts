import type { SecretObject } from '@gatehouse/crds';
import { authoritiesIn } from './authorities.ts';
import { type ConsulSource, consulPath } from './discovery-source.ts';
import { entriesOf } from './secret-entries.ts';
import type { BrokenRef } from './status.ts';

/** What is needed to ask a Consul; nothing of it may be told. */
export type ConsulSecrets = { token: string | undefined; ca: string | undefined };

/**
 * The token and the authorities that a source names, or what is wrong with them.
 * @param secretOf a Secret of the namespace of the Upstream.
 */
export function consulSecrets(
  { tokenRef, caRef }: Pick<ConsulSource, 'tokenRef' | 'caRef'>,
  namespace: string,
  secretOf: (name: string) => SecretObject | undefined,
): ConsulSecrets | { broken: BrokenRef[] } {
  const broken: BrokenRef[] = [];

  function entry(ref: ConsulSource['tokenRef'], fallback: string, path: string) {
    if (ref === undefined) return undefined;
    const { name, key = fallback } = ref;
    const id = `${namespace}/${name}`;
    const secret = secretOf(name);
    const value = secret && entriesOf(secret).get(key);
    if (secret === undefined) {
      const reason = `Secret "${id}" does not exist: create it`;
      broken.push({ code: 'SecretNotFound', path: `${path}.name`, reason });
    } else if (value === undefined) {
      const reason = `Secret "${id}" has no entry "${key}": add it, or name another key`;
      broken.push({ code: 'SecretNotFound', path: `${path}.key`, reason });
    } else {
      return {
        path,
        text: Buffer.from(value).toString().trim(),
        named: `the entry "${key}" of Secret "${id}"`,
      };
    }
    return undefined;
  }

  const token = entry(tokenRef, 'token', `${consulPath}.tokenSecretRef`);
  // RFC 9110 section 5.5: what is not visible does not go into a field.
  if (token && !/^[\x21-\x7e]+$/.test(token.text)) {
    const reason = `${token.named} must be one word of visible ASCII characters`;
    broken.push({ code: 'InvalidSecret', path: token.path, reason });
  }
  const ca = entry(caRef, 'ca.crt', `${consulPath}.tls.caSecretRef`);
  const authorities = ca && authoritiesIn(Buffer.from(ca.text));
  if (ca && !authorities) {
    const reason = `${ca.named} must hold certificates as PEM, and nothing else`;
    broken.push({ code: 'InvalidSecret', path: ca.path, reason });
  }
  if (broken.length > 0) return { broken };
  return { token: token?.text, ca: authorities && Buffer.from(authorities).toString() };
}
