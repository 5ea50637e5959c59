import { createReadStream } from 'node:fs';
import type { Lane } from './lane.ts';
import { readMetrics } from './prometheus.ts';
import type { Entrant, Load } from './scenario.ts';

/** Share of requests: of those whose token must have been remembered, and of those that must be in the log. */
const nearlyAll = 0.95;

export async function countLines(path: string): Promise<number> {
  let lines = 0;
  for await (const chunk of createReadStream(path)) {
    if (!(chunk instanceof Buffer)) throw new TypeError('Cannot count lines: not bytes');
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1;
  }
  return lines;
}

/** What is wrong with how often a token cache was of use. */
export function findCacheFault(
  kind: 'repeated' | 'fresh',
  hits: number,
  misses: number,
): string | undefined {
  const counted = `its token cache counted ${hits} hits and ${misses} misses`;
  if (kind === 'fresh') {
    // The good token of the probes is the only one that comes twice: a few hits are theirs.
    return hits > 0.001 * (hits + misses) ? `${counted}, although every token was new` : undefined;
  }
  return hits < nearlyAll * (hits + misses) || hits === 0
    ? `${counted}, although the tokens were few`
    : undefined;
}

/** Throws when a proxy did not do, or did not have to do, the work that the scenario is about. */
export async function audit(
  lane: Pick<Lane, 'name' | 'tokenCache' | 'accessLog'>,
  { refuses = [] }: Entrant,
  { tokens }: Load,
  requests: number,
): Promise<void> {
  const faults: (string | undefined)[] = [];
  if (tokens !== undefined && lane.tokenCache !== undefined && refuses.includes('bad token')) {
    const { url, hits, misses } = lane.tokenCache;
    const [hit = 0, missed = 0] = await readMetrics(url, [hits, misses]);
    faults.push(findCacheFault(tokens.kind, hit, missed));
  }
  if (lane.accessLog !== undefined) {
    const lines = await countLines(lane.accessLog);
    if (lines < nearlyAll * requests)
      faults.push(`its access log has ${lines} lines for ${requests} requests`);
  }
  const fault = faults.find((each) => each !== undefined);
  if (fault !== undefined) throw new Error(`Cannot take the figures of "${lane.name}": ${fault}`);
}
