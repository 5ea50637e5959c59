import { X509Certificate } from 'node:crypto';
import { certificateBlocks, type MtlsMethod } from '@gatehouse/crds';
import type { PolicyContext } from '../context.ts';

/** Reports authorities that cannot vouch for anybody. */
export function checkMtls({ caSecretRef }: MtlsMethod, path: string, context: PolicyContext): void {
  const at = `${path}.caSecretRef`;
  const bytes = context.secretEntry(caSecretRef, 'ca.crt', at);
  if (!bytes) return;
  const { namespace } = context;
  const entry = `entry "${caSecretRef.key ?? 'ca.crt'}" of Secret "${namespace}/${caSecretRef.name}"`;
  const text = Buffer.from(bytes).toString('latin1');
  if (text.includes('PRIVATE KEY')) {
    context.report(at, `${entry} holds a private key: data planes need certificates alone`);
  }
  const blocks = certificateBlocks(text);
  if (blocks.length === 0) context.report(at, `${entry} holds no certificate as PEM`);
  for (const [i, pem] of blocks.entries()) {
    const fault = faultOf(pem);
    if (fault) context.report(at, `certificate ${i + 1} of ${entry} ${fault}`);
  }
}

function faultOf(pem: string): string | undefined {
  try {
    return new X509Certificate(pem).ca ? undefined : 'is not that of an authority';
  } catch {
    // OpenSSL may quote what it read.
    return 'is damaged';
  }
}
