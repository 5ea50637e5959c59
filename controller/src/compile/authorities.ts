import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { certificateBlocks } from '@gatehouse/crds';

/**
 * The certificates of authorities alone, each on lines of its own: OpenSSL reads nothing of files that were joined without a
 * line break. Text between the blocks is allowed (RFC 7468 section 2), a block that is no certificate is not.
 */
export function authoritiesIn(pem: Buffer): Uint8Array | undefined {
  const text = pem.toString('latin1');
  const blocks = certificateBlocks(text);
  if (blocks.length === 0 || text.split('-----BEGIN ').length - 1 !== blocks.length)
    return undefined;
  const authorities = new Uint8Array(Buffer.from(`${blocks.join('\n')}\n`, 'latin1'));
  try {
    for (const one of blocks) new X509Certificate(one);
    createSecureContext({ ca: Buffer.from(authorities) });
    return authorities;
  } catch {
    return undefined;
  }
}
