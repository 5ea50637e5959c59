import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { proxyCore } from './cores.ts';
import type { Command, Order, Program } from './peer.ts';
import { peers } from './peers/registry.ts';
import { freePorts } from './ports.ts';
import { findFault, type Target, waitUntilServing } from './probe.ts';
import { largestResidentBytes } from './process-tree.ts';
import { readMetrics } from './prometheus.ts';
import type { Entrant, Load, Site, Terms } from './scenario.ts';
import type { Stage } from './stage.ts';

/** An entrant that serves. */
export type Lane = AsyncDisposable &
  Pick<Command, 'memory' | 'tokenCache'> & {
    name: string;
    child: Child;
    port: number;
    /** The file that has its access log. */
    accessLog?: string;
  };

export type Starter = Entrant & { program: Program };

export type LaneOptions = {
  /** Requests a minute that the entrant's limit lets through; by default so many that no load reaches them. */
  limit?: number;
  environment?: Readonly<Record<string, string>>;
};

/** 16 million requests a second, in numbers of 32 bits, which is what peers count with. */
const unreached = 1e9;

export function targetOf(
  port: number,
  path: string,
  { method, headers, body, downstream }: Load,
): Target {
  return {
    port,
    path,
    ...(downstream && { downstream }),
    ...(method && { method }),
    ...(headers && { headers }),
    ...(body && { body }),
  };
}

function settle({ routes, addition }: Site, terms: Terms): Order['site'] {
  if (addition === undefined) return { routes };
  return { routes, addition: typeof addition === 'string' ? addition : addition(terms) };
}

/** Configures and starts an entrant on the proxy core and waits until it forwards. */
export async function openLane(
  { program, name, peer, site }: Starter,
  { folder: parent, backend, wire, lot, redisPort, single }: Stage,
  signal: AbortSignal,
  { limit = unreached, environment = {} }: LaneOptions = {},
): Promise<Lane> {
  const folder = join(parent, limit === unreached ? name : `${name}-limit-${limit}`);
  await mkdir(folder);
  const [port, adminPort] = await freePorts(2);
  if (port === undefined || adminPort === undefined) throw new Error('Cannot find two free ports');
  const accessLog = site.accessLog && join(folder, 'access.log');
  const order = {
    folder,
    port,
    adminPort,
    backendPort: backend.port,
    wire,
    ...(accessLog && { accessLog }),
  };
  const { args, ...command } = await peers[peer].prepare(program, {
    ...order,
    site: settle(site, { lot, limit, redisPort }),
  });
  const child = await startChild(name, proxyCore, command.program, args, {
    environment,
    ...(accessLog && { stdout: accessLog }),
  });
  try {
    const target = targetOf(port, single.paths[0] ?? '/', single);
    await waitUntilServing(child, target, backend.answer, signal);
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
  return {
    name,
    child,
    port,
    memory: command.memory,
    ...(command.tokenCache && { tokenCache: command.tokenCache }),
    ...(accessLog && { accessLog }),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** Asks for every path of a load once. wrk counts only statuses from 400; this finds a redirect or a wrong body too. */
export async function checkPaths(lane: Lane, load: Load, answer: string): Promise<void> {
  for (const path of load.paths) {
    const fault = await findFault(targetOf(lane.port, path, load), answer);
    if (fault !== undefined) throw new Error(`Cannot measure "${lane.name}": ${fault}`);
  }
}

export async function residentMib({ child, memory }: Lane): Promise<number> {
  if (memory.kind === 'process') return (await largestResidentBytes(child.pid)) / 2 ** 20;
  const [bytes = Number.NaN] = await readMetrics(memory.url, [memory.metric]);
  return bytes / 2 ** 20;
}
