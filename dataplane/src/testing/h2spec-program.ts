import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The version that `e2e/cluster/versions.ts` has built. */
export const h2specVersion = 'v2.2.1';

/** Path of the h2spec that tests start, outside of the checkout. */
export function h2specProgram(): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(cache, 'gatehouse', `h2spec-${h2specVersion}`, 'h2spec');
}

/** What is missing and how to get it; undefined when all is there. */
export function missingH2spec(): string | undefined {
  const path = h2specProgram();
  if (existsSync(path)) return undefined;
  return (
    `Cannot run h2spec: there is no "${path}". ` +
    'Build it, once, with Go 1.26 (15 seconds): npx node e2e/cluster/main.ts h2spec'
  );
}
