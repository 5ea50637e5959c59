import { baseLayout, requireBaseImage } from './base-image.ts';
import { consulProgram, helmProgram, kubernetesPrograms } from './binaries.ts';
import { requireNobody } from './cluster.ts';
import { gatewayApiCrds } from './gateway-api.ts';
import { requireMachine } from './machine.ts';
import { nodeImages } from './own-images.ts';
import { previousRelease } from './previous-release.ts';

/**
 * Makes, and keeps, all that takes long and that needs a network: after it `make e2e` starts at once.
 * @throws Error in one sentence when this machine cannot have a cluster, or has one that is in use
 */
export async function prepareCluster(): Promise<void> {
  await requireMachine();
  await requireNobody();
  await kubernetesPrograms([
    'kube-apiserver',
    'kube-controller-manager',
    'kubectl',
    'kube-scheduler',
    'kubelet',
    'kube-proxy',
  ]);
  await helmProgram();
  await consulProgram();
  await nodeImages();
  await requireBaseImage();
  await baseLayout();
  await gatewayApiCrds();
  // A clone without it runs all suites but one, which says so.
  await previousRelease().catch((error: Error) => process.stderr.write(`${error.message}\n`));
}
