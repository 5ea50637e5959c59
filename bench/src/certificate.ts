import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execute } from './execute.ts';
import type { Certificate } from './peer.ts';

/** Makes a self-signed certificate (ECDSA P-256) in a folder. */
export async function createCertificate(folder: string): Promise<Certificate> {
  const [certificate, key, pair] = ['tls.crt', 'tls.key', 'tls.pem'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const names = ['-subj', '/CN=bench.example', '-addext', 'subjectAltName=DNS:bench.example'];
  const files = ['-days', '2', '-keyout', key, '-out', certificate];
  const { code, stderr } = await execute('openssl', ['req', ...kind, ...names, ...files]);
  if (code !== 0) throw new Error(`Cannot make a certificate: ${stderr.trim()}`);
  const texts = await Promise.all([readFile(certificate, 'utf8'), readFile(key, 'utf8')]);
  await writeFile(pair, texts.join(''));
  return { certificate, key, pair };
}
