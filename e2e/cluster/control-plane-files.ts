import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { auditPolicy } from './audit.ts';
import { createAuthority } from './certificates.ts';
import type { RunDirectory } from './run-directory.ts';

export type ControlPlaneFiles = Awaited<ReturnType<typeof writeFiles>>;

/** Writes certificates, keys and the audit policy of a control plane into its run directory. */
export async function writeFiles({ path }: RunDirectory, address: string) {
  const folder = join(path, 'pki');
  await mkdir(folder);
  const at = (name: string) => join(folder, name);
  const write = async (name: string, text: string) => {
    await writeFile(at(name), text, { mode: 0o600 });
    return at(name);
  };
  const authority = await createAuthority('Gatehouse e2e CA');
  const service = 'kubernetes.default.svc';
  const hosts = [service, `${service}.cluster.local`, '127.0.0.1', '10.96.0.1', address];
  const server = await authority.issue({ commonName: 'kube-apiserver', hosts });
  const admin = { commonName: 'admin', organization: 'system:masters' };
  const adminPair = await authority.issue(admin);
  const accounts = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return {
    authority,
    adminPair,
    admin: join(path, 'admin.kubeconfig'),
    auditLog: join(path, 'logs', 'audit.jsonl'),
    ca: await write('ca.crt', authority.certificate),
    caKey: await write('ca.key', authority.key),
    serverCertificate: await write('apiserver.crt', server.certificate),
    serverKey: await write('apiserver.key', server.key),
    clientCertificate: await write('admin.crt', adminPair.certificate),
    clientKey: await write('admin.key', adminPair.key),
    accountPublic: await write('accounts.pub', accounts.publicKey),
    accountKey: await write('accounts.key', accounts.privateKey),
    auditPolicy: await write('audit-policy.json', JSON.stringify(auditPolicy)),
  };
}
