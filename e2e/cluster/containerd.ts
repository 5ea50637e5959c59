import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './execute.ts';
import { bridge, containerdSocket, podSubnet } from './node-names.ts';
import { pauseImage } from './own-images.ts';
import { type RunDirectory, start } from './run-directory.ts';
import { waitFor } from './wait-for.ts';

/** Namespace of containerd that Kubernetes uses. */
const namespace = 'k8s.io';

/** Starts containerd with a root, a state and a socket of its own. */
export async function startContainerd(directory: RunDirectory): Promise<void> {
  const { path } = directory;
  const folder = join(path, 'containerd');
  const cni = join(path, 'cni');
  await mkdir(folder);
  await mkdir(cni);
  await writeFile(join(cni, '10-gatehouse.conflist'), JSON.stringify(network, null, 2));
  const config = join(folder, 'config.toml');
  await writeFile(config, configOf(path, folder, cni));
  await start(directory, 'containerd', ['--config', config], { name: 'containerd' });
  await waitFor('containerd', async () => {
    await ctr(directory, ['version']);
    return true;
  });
}

/** Loads the images of an OCI or Docker archive; pods find them by their names. */
export async function importImages(directory: RunDirectory, archive: string): Promise<void> {
  await ctr(directory, ['images', 'import', archive]);
}

function ctr({ path }: RunDirectory, args: string[]): Promise<string> {
  return run('ctr', ['--address', containerdSocket(path), '--namespace', namespace, ...args]);
}

function configOf(path: string, folder: string, cni: string): string {
  return `version = 2
root = "${join(folder, 'root')}"
state = "${join(folder, 'state')}"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.devmapper"]

[grpc]
address = "${containerdSocket(path)}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${pauseImage}"
disable_apparmor = true
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
stream_server_address = "127.0.0.1"

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "${cni}"
`;
}

/** One bridge for the pods of the one node, and hostPorts. */
const network = {
  cniVersion: '1.0.0',
  name: 'gatehouse',
  plugins: [
    {
      type: 'bridge',
      bridge,
      isGateway: true,
      ipMasq: true,
      hairpinMode: true,
      ipam: {
        type: 'host-local',
        ranges: [[{ subnet: podSubnet }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
};
