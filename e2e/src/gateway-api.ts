import { gatewayApiCrds } from '../cluster/gateway-api.ts';
import type { Kubectl } from './kubectl.ts';

/** Installs the CRDs of the standard channel of the Gateway API. */
export async function installGatewayApi(kubectl: Kubectl): Promise<void> {
  await kubectl('apply', '--server-side', '--filename', await gatewayApiCrds());
  await kubectl('wait', 'crd', '--all', '--for=condition=Established', '--timeout=30s');
}
