import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The version that `e2e/cluster/versions.ts` has built. */
export const consulVersion = 'v1.22.3';

/** Path of the Consul that tests start, outside of the checkout. */
export function consulProgram(): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(cache, 'gatehouse', `consul-${consulVersion}`, 'consul');
}

/** What is missing and how to get it; undefined when all is there. */
export function missingConsul(): string | undefined {
  const path = consulProgram();
  if (existsSync(path)) return undefined;
  return (
    `Cannot run the tests of Consul: there is no "${path}". ` +
    'Build it, once, with Go 1.26 (4 minutes): npx node e2e/cluster/main.ts consul'
  );
}
