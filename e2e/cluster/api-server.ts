import { kubernetesPrograms } from './binaries.ts';
import type { ControlPlaneFiles } from './control-plane-files.ts';
import { run } from './execute.ts';
import { flagsOf } from './flags.ts';
import { end } from './processes.ts';
import { type RunDirectory, type Started, start } from './run-directory.ts';
import { waitFor } from './wait-for.ts';

export const serviceRange = '10.96.0.0/16';

export type ApiServerProcess = {
  /** Ends it at once, with every connection that it has. */
  kill(): Promise<void>;
  /** Starts it again, at the same address, and waits until it is ready. */
  restart(): Promise<void>;
};

export type ApiServerOptions = {
  directory: RunDirectory;
  address: string;
  port: number;
  /** URL. */
  etcd: string;
  files: ControlPlaneFiles;
};

/** Starts kube-apiserver and waits until it is ready. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServerProcess> {
  const { directory, files } = options;
  const [program, kubectl] = await kubernetesPrograms(['kube-apiserver', 'kubectl']);
  const launch = async () => {
    const started = await start(directory, program, flags(options), { name: 'kube-apiserver' });
    await ready(started, kubectl, files.admin);
    return started;
  };
  let running = await launch();
  return {
    kill: () => end(running),
    async restart() {
      await end(running);
      running = await launch();
    },
  };
}

function flags({ address, port, etcd, files }: ApiServerOptions): string[] {
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
