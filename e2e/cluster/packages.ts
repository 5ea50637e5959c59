import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** A file that the cluster needs and the Debian package that brings it. */
type Requirement = { file: string; package: string; folders: readonly string[] };

const path = () => [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
const inPath = (file: string, name = file): Requirement => ({
  file,
  package: name,
  folders: path(),
});

const controlPlane = () => [inPath('etcd', 'etcd-server')];
const node = () => [
  ...controlPlane(),
  ...['containerd', 'runc', 'iptables', 'conntrack', 'buildah', 'debootstrap', 'faketime'].map(
    (name) => inPath(name),
  ),
  inPath('ip', 'iproute2'),
  { file: 'bridge', package: 'containernetworking-plugins', folders: ['/usr/lib/cni'] },
];

/**
 * @throws Error in one sentence with the Debian packages that are missing; `install` beside this file
 *   installs them
 */
export async function requirePackages(purpose: 'control plane' | 'cluster'): Promise<void> {
  const needed = purpose === 'cluster' ? node() : controlPlane();
  const found = await Promise.all(needed.map(isThere));
  const missing = needed.filter((_, index) => !found[index]).map((each) => each.package);
  if (missing.length === 0) return;
  throw new Error(
    `Cannot start a ${purpose}: run e2e/cluster/install as root, the Debian packages ${missing.join(', ')} are missing`,
  );
}

async function isThere({ file, folders }: Requirement): Promise<boolean> {
  const looks = folders.map((folder) => access(join(folder, file), constants.X_OK));
  return (await Promise.allSettled(looks)).some(({ status }) => status === 'fulfilled');
}
