import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { create } from '@bufbuild/protobuf';
import type { SecretObject } from '@gatehouse/crds';
import { Kind, type Resource, resourceOf, SecretSchema } from '@gatehouse/snapshot';
import { idOf } from './resources.ts';

const tlsType = 'kubernetes.io/tls';
const block = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** A Secret as the data plane serves it, or why it cannot be served. */
export type CheckedSecret = { resource: Resource } | { reason: string };

/** Checks that a Secret holds a certificate with its key, and takes nothing else out of it. */
export function checkSecret(secret: SecretObject): CheckedSecret {
  const id = idOf(secret);
  const no = (why: string) => ({ reason: `Secret "${id}" ${why}` });
  if (secret.type !== tlsType)
    return no(
      `is of type "${secret.type ?? 'Opaque'}", not "${tlsType}": delete it and create it anew`,
    );
  const chain = entryOf(secret, 'tls.crt');
  const key = entryOf(secret, 'tls.key');
  if (chain === undefined) return no('has no tls.crt: add the certificate chain, leaf first');
  if (key === undefined) return no('has no tls.key: add the private key of tls.crt');
  const why = whyUnusable(chain, key);
  if (why !== undefined) return no(why);
  const data = { 'tls.crt': new Uint8Array(chain), 'tls.key': new Uint8Array(key) };
  const message = create(SecretSchema, { type: tlsType, data });
  return { resource: resourceOf(Kind.SECRET, id, SecretSchema, message) };
}

/** stringData wins over data, as the API server merges them. */
function entryOf({ data, stringData }: SecretObject, name: string): Buffer | undefined {
  const text = stringData?.[name];
  if (text !== undefined) return Buffer.from(text, 'utf8');
  const encoded = data?.[name];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64');
}

function whyUnusable(chain: Buffer, key: Buffer): string | undefined {
  const blocks = chain.toString('latin1').match(block) ?? [];
  const certificates = attempt(() => blocks.map((pem) => new X509Certificate(pem)));
  const leaf = 'failed' in certificates ? undefined : certificates[0];
  if (leaf === undefined) return 'holds no PEM certificates in tls.crt';
  const privateKey = attempt(() => createPrivateKey(key));
  if ('failed' in privateKey) return 'holds no PEM private key without passphrase in tls.key';
  if (!leaf.checkPrivateKey(privateKey)) return 'holds a tls.key that does not fit its tls.crt';
  // OpenSSL refuses more than the parsers do, e.g. keys that are too short.
  const context = attempt(() => createSecureContext({ cert: chain, key }));
  return 'failed' in context ? `cannot be served: ${context.failed}` : undefined;
}

/** The message of an OpenSSL error may quote its input, its reason does not. */
function attempt<T extends object>(make: () => T): T | { failed: string } {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { failed: 'reason' in error ? String(error.reason) : 'OpenSSL refuses it' };
  }
}
