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
    return no(`is of type "${secret.type ?? 'Opaque'}", not "${tlsType}"`);
  const chain = entryOf(secret, 'tls.crt');
  const key = entryOf(secret, 'tls.key');
  if (chain === undefined) return no('has no tls.crt');
  if (key === undefined) return no('has no tls.key');
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
  if (typeof certificates === 'string')
    return `holds a tls.crt that cannot be read: ${certificates}`;
  const [leaf] = certificates;
  if (leaf === undefined) return 'holds no PEM certificate in tls.crt';
  const privateKey = attempt(() => createPrivateKey(key));
  if (typeof privateKey === 'string') return `holds a tls.key that cannot be read: ${privateKey}`;
  if (!leaf.checkPrivateKey(privateKey)) return 'holds a tls.key that does not fit its tls.crt';
  // OpenSSL refuses more than the parsers do, e.g. keys that are too short.
  const context = attempt(() => createSecureContext({ cert: chain, key }));
  return typeof context === 'string' ? `cannot be served: ${context}` : undefined;
}

function attempt<T extends object>(make: () => T): T | string {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return error.message;
  }
}
