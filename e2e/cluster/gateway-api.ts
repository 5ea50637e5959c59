import { join } from 'node:path';
import { run } from './execute.ts';
import { versions } from './versions.ts';

/** Folder with the CRDs of the standard channel of the Gateway API, out of its Go module. */
export async function gatewayApiCrds(): Promise<string> {
  const module = `sigs.k8s.io/gateway-api@${versions.gatewayApi}`;
  const printed = await run('go', ['mod', 'download', '-json', module], { cwd: '/' });
  const { Dir } = JSON.parse(printed) as { Dir: string };
  return join(Dir, 'config/crd/standard');
}
