import { type Lane, residentMib } from './lane.ts';
import { assertClean } from './load.ts';
import { cpuSeconds } from './process-tree.ts';
import type { Stage } from './stage.ts';

/** One measurement of one proxy. */
export type Sample = {
  requests: number;
  rps: number;
  p99Ms: number;
  cores: number;
  /** Resident memory while the connections were open, of a load that says when that is. */
  openMib: number | undefined;
};

/** Sends the load through a lane once. Throws unless every request was answered well, by the backend. */
export async function takeSample(
  lane: Lane,
  stage: Stage,
  seconds: number,
  signal: AbortSignal,
): Promise<Sample> {
  let openMib: number | undefined;
  const forwardedBefore = await stage.backend.count();
  let cpuBefore = await cpuSeconds(lane.child.pid);
  let cpuAfter: number | undefined;
  const result = await stage.send(lane.port, seconds, signal, {
    begin: async () => {
      cpuBefore = await cpuSeconds(lane.child.pid);
    },
    end: async () => {
      cpuAfter = await cpuSeconds(lane.child.pid);
      openMib = await residentMib(lane);
    },
  });
  cpuAfter ??= await cpuSeconds(lane.child.pid);
  const cores = (cpuAfter - cpuBefore) / result.seconds;
  const forwarded = (await stage.backend.count()) - forwardedBefore;
  const ended = lane.child.ended();
  if (ended !== undefined)
    throw new Error(`Cannot measure "${lane.name}": ${ended}\n${lane.child.printed()}`);
  assertClean(lane.name, result);
  if (forwarded < result.requests) {
    throw new Error(
      `Cannot measure "${lane.name}": of ${result.requests} requests ${forwarded} reached the backend`,
    );
  }
  return { requests: result.requests, rps: result.rps, p99Ms: result.p99Ms, cores, openMib };
}
