import { join } from 'node:path';
import { run } from '../cluster/execute.ts';
import { versions } from '../cluster/versions.ts';
import type { Kubectl } from './kubectl.ts';

/** Installs the CRDs of the standard channel of the Gateway API, out of its Go module. */
export async function installGatewayApi(kubectl: Kubectl): Promise<void> {
  const module = `sigs.k8s.io/gateway-api@${versions.gatewayApi}`;
  const printed = await run('go', ['mod', 'download', '-json', module], { cwd: '/' });
  const { Dir } = JSON.parse(printed) as { Dir: string };
  await kubectl('apply', '--server-side', '--filename', join(Dir, 'config/crd/standard'));
  await kubectl('wait', 'crd', '--all', '--for=condition=Established', '--timeout=30s');
}
