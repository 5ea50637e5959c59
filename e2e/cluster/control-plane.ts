import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ApiServerProcess, serviceRange, startApiServer } from './api-server.ts';
import { kubernetesPrograms } from './binaries.ts';
import type { Authority } from './certificates.ts';
import { type ControlPlaneFiles, writeFiles } from './control-plane-files.ts';
import { run } from './execute.ts';
import { flagsOf } from './flags.ts';
import { kubeconfig } from './kubeconfig.ts';
import { requirePackages } from './packages.ts';
import { freePorts } from './ports.ts';
import { createRunDirectory, type RunDirectory, start } from './run-directory.ts';
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
  /** URL of etcd. */
  etcd: string;
  api: ApiServerProcess;
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

export const podRange = '10.244.0.0/16';

/**
 * Starts etcd, kube-apiserver and kube-controller-manager on free ports; about 8 seconds once they are
 * built. Several can run side by side.
 * @throws Error in one sentence when the machine lacks something
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  await requirePackages('control plane');
  const [controllerManager, kubectl] = await kubernetesPrograms([
    'kube-controller-manager',
    'kubectl',
    'kube-apiserver',
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
      const api = await startApiServer({ directory, address, port, etcd, files });
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
        etcd,
        api,
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

function controllerManagerFlags(files: ControlPlaneFiles): string[] {
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
