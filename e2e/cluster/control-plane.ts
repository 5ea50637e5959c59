import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { auditPolicy } from './audit.ts';
import { kubernetesPrograms } from './binaries.ts';
import { type Authority, createAuthority } from './certificates.ts';
import { run } from './execute.ts';
import { kubeconfig } from './kubeconfig.ts';
import { requirePackages } from './packages.ts';
import { freePorts } from './ports.ts';
import { createRunDirectory, type RunDirectory, type Started, start } from './run-directory.ts';
import { say } from './say.ts';
import { remove, removeLeftovers } from './stop.ts';
import { waitFor } from './wait-for.ts';

/** An API server with its etcd and the controllers of Kubernetes; no pod ever runs. */
export type ControlPlane = {
  /** File with the rights of cluster-admin. */
  kubeconfig: string;
  /** Folder with kubectl. */
  kubectl: string;
  /** https URL of the API server. */
  server: string;
  /** File that the API server appends one JSON object a line to, for every request answered. */
  auditLog: string;
  directory: RunDirectory;
  /** Signs what the API server trusts: certificates of clients, of kubelets. */
  authority: Authority;
  stop(): Promise<void>;
};

export type ControlPlaneOptions = {
  /** Address that the API server listens on and tells its clients. Default: 127.0.0.1. */
  address?: string;
  /** Where to run; made, and removed at the end, when left out. */
  directory?: RunDirectory;
};

export const serviceRange = '10.96.0.0/16';
export const podRange = '10.244.0.0/16';

/**
 * Starts etcd, kube-apiserver and kube-controller-manager on free ports; about 8 seconds once they are
 * built. Several can run side by side.
 * @throws Error in one sentence when the machine lacks something
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  await requirePackages('control plane');
  const [apiserver, controllerManager, kubectl] = await kubernetesPrograms([
    'kube-apiserver',
    'kube-controller-manager',
    'kubectl',
  ]);
  await removeLeftovers();
  const { address = '127.0.0.1' } = options;
  const directory =
    options.directory ?? (await createRunDirectory('control-plane', { unique: true }));
  try {
    return await say('starting the control plane', async () => {
      const files = await writeFiles(directory, address);
      const etcd = await startEtcd(directory);
      const [port = 0] = await freePorts(1, address);
      const server = `https://${address}:${port}`;
      await writeFile(
        files.admin,
        kubeconfig(server, files.authority.certificate, files.adminPair),
        { mode: 0o600 },
      );
      const api = await start(directory, apiserver, apiserverFlags(address, port, etcd, files), {
        name: 'kube-apiserver',
      });
      await ready(api, kubectl, files.admin);
      await start(directory, controllerManager, controllerManagerFlags(files), {
        name: 'kube-controller-manager',
      });
      const ask = (args: string[]) => run(kubectl, ['--kubeconfig', files.admin, ...args]);
      await waitFor('the default ServiceAccount', () =>
        ask(['get', 'serviceaccount', 'default', '--output=name']),
      );
      return {
        kubeconfig: files.admin,
        kubectl,
        server,
        auditLog: files.auditLog,
        directory,
        authority: files.authority,
        stop: () => remove(directory),
      };
    });
  } catch (error) {
    if (options.directory === undefined) await remove(directory);
    throw error;
  }
}

type Files = Awaited<ReturnType<typeof writeFiles>>;

async function writeFiles({ path }: RunDirectory, address: string) {
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

/** Returns the URL of the store. */
async function startEtcd(directory: RunDirectory): Promise<string> {
  const [client, peer] = await freePorts(2);
  const url = `http://127.0.0.1:${client}`;
  const peerUrl = `http://127.0.0.1:${peer}`;
  const flags = {
    'data-dir': join(directory.path, 'etcd'),
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': `default=${peerUrl}`,
    // Nothing of it has to outlive the machine.
    'unsafe-no-fsync': 'true',
    'quota-backend-bytes': String(2 ** 32),
  };
  await start(directory, 'etcd', flagsOf(flags), { name: 'etcd' });
  return url;
}

function apiserverFlags(address: string, port: number, etcd: string, files: Files): string[] {
  const issuer = 'https://kubernetes.default.svc';
  return flagsOf({
    'etcd-servers': etcd,
    'bind-address': address,
    'advertise-address': address,
    'secure-port': String(port),
    'service-cluster-ip-range': serviceRange,
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'allow-privileged': 'true',
    'client-ca-file': files.ca,
    'tls-cert-file': files.serverCertificate,
    'tls-private-key-file': files.serverKey,
    'kubelet-client-certificate': files.clientCertificate,
    'kubelet-client-key': files.clientKey,
    'kubelet-preferred-address-types': 'InternalIP',
    'service-account-issuer': issuer,
    'service-account-key-file': files.accountPublic,
    'service-account-signing-key-file': files.accountKey,
    'audit-policy-file': files.auditPolicy,
    'audit-log-path': files.auditLog,
    // Endpoints of the Service "kubernetes" must not be loopback addresses.
    ...(address.startsWith('127.') && { 'endpoint-reconciler-type': 'none' }),
  });
}

function controllerManagerFlags(files: Files): string[] {
  return flagsOf({
    kubeconfig: files.admin,
    'secure-port': '0',
    'leader-elect': 'false',
    'use-service-account-credentials': 'true',
    'allocate-node-cidrs': 'true',
    'cluster-cidr': podRange,
    'service-cluster-ip-range': serviceRange,
    'root-ca-file': files.ca,
    'service-account-private-key-file': files.accountKey,
    'cluster-signing-cert-file': files.ca,
    'cluster-signing-key-file': files.caKey,
  });
}

async function ready(api: Started, kubectl: string, admin: string): Promise<void> {
  await waitFor('the API server', async () => {
    const code = api.ended();
    if (code !== undefined) return { code };
    await run(kubectl, ['--kubeconfig', admin, 'get', '--raw', '/readyz']);
    return { code };
  }).then(({ code }) => {
    if (code === undefined) return;
    throw new Error(`Cannot start kube-apiserver: it ended with ${code}; see ${api.log}`);
  });
}

/** Command-line flags as the programs of Kubernetes and etcd take them. */
export function flagsOf(flags: Readonly<Record<string, string>>): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
}
