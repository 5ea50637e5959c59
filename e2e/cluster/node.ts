import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kubernetesPrograms } from './binaries.ts';
import { importImages, startContainerd } from './containerd.ts';
import { type ControlPlane, podRange } from './control-plane.ts';
import { execute, run } from './execute.ts';
import { flagsOf } from './flags.ts';
import { kubeconfig } from './kubeconfig.ts';
import { containerdSocket, nodeAddress, nodeMark, nodeName } from './node-names.ts';
import { nodeImages } from './own-images.ts';
import { freePorts } from './ports.ts';
import { type RunDirectory, start } from './run-directory.ts';
import { waitFor } from './wait-for.ts';

/** Address of the DNS server of the cluster. */
export const dnsAddress = '10.96.0.10';

/** Gives the machine the address of the node; the API server listens on it too. */
export async function prepareNode({ path }: RunDirectory): Promise<void> {
  await writeFile(nodeMark(path), '');
  const { code, stderr } = await execute('ip', [
    'address',
    'add',
    `${nodeAddress}/32`,
    'dev',
    'lo',
  ]);
  if (code !== 0 && !stderr.includes('File exists')) {
    throw new Error(`Cannot add address "${nodeAddress}" to lo: ${stderr.trim()}`);
  }
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1');
}

/** Turns the machine into the one node: containerd, kubelet, kube-proxy, and the scheduler beside them. */
export async function startNode(controlPlane: ControlPlane): Promise<void> {
  const { directory } = controlPlane;
  const [scheduler, kubelet, proxy] = await kubernetesPrograms([
    'kube-scheduler',
    'kubelet',
    'kube-proxy',
  ]);
  const archives = await nodeImages();
  await startContainerd(directory);
  for (const archive of archives) await importImages(directory, archive);
  await start(
    directory,
    scheduler,
    flagsOf({
      kubeconfig: controlPlane.kubeconfig,
      'leader-elect': 'false',
      'secure-port': '0',
    }),
    { name: 'kube-scheduler' },
  );
  await startKubelet(controlPlane, kubelet);
  await startProxy(controlPlane, proxy);
  const query = [
    'get',
    'node',
    nodeName,
    '--output=jsonpath={.status.conditions[?(@.type=="Ready")].status}',
  ];
  await waitFor('the node', async () => {
    const args = ['--kubeconfig', controlPlane.kubeconfig, ...query];
    return (await run(controlPlane.kubectl, args)) === 'True';
  });
}

async function startKubelet(controlPlane: ControlPlane, program: string): Promise<void> {
  const { directory, authority, server } = controlPlane;
  const folder = join(directory.path, 'kubelet');
  await mkdir(folder);
  const pair = await authority.issue({
    commonName: `system:node:${nodeName}`,
    organization: 'system:nodes',
    hosts: [nodeName, nodeAddress],
  });
  const files = {
    kubeconfig: join(folder, 'kubeconfig'),
    config: join(folder, 'config.json'),
    certificate: join(folder, 'kubelet.crt'),
    key: join(folder, 'kubelet.key'),
    ca: join(folder, 'ca.crt'),
  };
  const [port = 0] = await freePorts(1, nodeAddress);
  const config = kubeletConfig(port, containerdSocket(directory.path), files);
  await writeFile(files.kubeconfig, kubeconfig(server, authority.certificate, pair), {
    mode: 0o600,
  });
  await writeFile(files.config, JSON.stringify(config, null, 2));
  await writeFile(files.certificate, pair.certificate);
  await writeFile(files.key, pair.key, { mode: 0o600 });
  await writeFile(files.ca, authority.certificate);
  const flags = {
    kubeconfig: files.kubeconfig,
    config: files.config,
    'root-dir': join(folder, 'root'),
    'cert-dir': join(folder, 'pki'),
    'hostname-override': nodeName,
    'node-ip': nodeAddress,
  };
  await start(directory, program, flagsOf(flags), { name: 'kubelet' });
}

function kubeletConfig(
  port: number,
  socket: string,
  files: { certificate: string; key: string; ca: string },
) {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: nodeAddress,
    port,
    healthzPort: 0,
    tlsCertFile: files.certificate,
    tlsPrivateKeyFile: files.key,
    authentication: { x509: { clientCAFile: files.ca }, webhook: { enabled: true } },
    authorization: { mode: 'Webhook' },
    containerRuntimeEndpoint: `unix://${socket}`,
    cgroupDriver: 'cgroupfs',
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    clusterDNS: [dnsAddress],
    clusterDomain: 'cluster.local',
    // Pods get no search domains of the machine.
    resolvConf: '',
    evictionHard: {
      'memory.available': '50Mi',
      'nodefs.available': '1%',
      'imagefs.available': '1%',
    },
    imageGCHighThresholdPercent: 100,
    maxPods: 200,
    // Changes of ConfigMaps, Secrets and probes shall be seen soon.
    syncFrequency: '10s',
    volumePluginDir: join(socket, '..', 'kubelet', 'plugins'),
  };
}

async function startProxy(controlPlane: ControlPlane, program: string): Promise<void> {
  const [health = 0, metrics = 0] = await freePorts(2);
  const flags = {
    kubeconfig: controlPlane.kubeconfig,
    'hostname-override': nodeName,
    'proxy-mode': 'iptables',
    'cluster-cidr': podRange,
    'healthz-bind-address': `127.0.0.1:${health}`,
    'metrics-bind-address': `127.0.0.1:${metrics}`,
    // Node ports are open on the loopback interface alone.
    'nodeport-addresses': '127.0.0.0/8',
    // These write settings of the whole machine; 0 leaves them.
    'conntrack-max-per-core': '0',
    'conntrack-tcp-timeout-established': '0',
    'conntrack-tcp-timeout-close-wait': '0',
  };
  await start(controlPlane.directory, program, flagsOf(flags), { name: 'kube-proxy' });
}
