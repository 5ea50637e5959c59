import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { create } from '@bufbuild/protobuf';
import { certificateBlocks, type SecretObject } from '@gatehouse/crds';
import { Kind, type Resource, resourceOf, SecretSchema } from '@gatehouse/snapshot';
import { idOf } from './resources.ts';
import { entriesOf } from './secret-entries.ts';

const tlsType = 'kubernetes.io/tls';

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
  const entries = entriesOf(secret);
  const chain = entries.get('tls.crt');
  const key = entries.get('tls.key');
  if (chain === undefined) return no('has no tls.crt: add the certificate chain, leaf first');
  if (key === undefined) return no('has no tls.key: add the private key of tls.crt');
  const why = whyUnusable(Buffer.from(chain), Buffer.from(key));
  if (why !== undefined) return no(why);
  const data = { 'tls.crt': chain, 'tls.key': key };
  const message = create(SecretSchema, { type: tlsType, data });
  return { resource: resourceOf(Kind.SECRET, id, SecretSchema, message) };
}

function whyUnusable(chain: Buffer, key: Buffer): string | undefined {
  const blocks = certificateBlocks(chain.toString('latin1'));
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
