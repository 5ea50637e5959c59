import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Backend, backendBody } from './backend.ts';
import { type Child, startChild } from './child.ts';
import { proxyCore } from './cores.ts';
import type { MemorySource, Program } from './peer.ts';
import { peers } from './peers/registry.ts';
import { freePorts } from './ports.ts';
import { findFault, get, type Target, waitUntilServing } from './probe.ts';
import { largestResidentBytes } from './process-tree.ts';
import type { Entrant, Load } from './scenario.ts';

/** An entrant that serves. */
export type Lane = AsyncDisposable & {
  name: string;
  child: Child;
  port: number;
  memory: MemorySource;
};

export type LanePlan = {
  entrant: Entrant;
  program: Program;
  load: Load;
  backend: Backend;
  /** Holds the lane's own folder. */
  folder: string;
  environment?: Readonly<Record<string, string>>;
};

function targetOf(port: number, path: string, { method, headers, body }: Load): Target {
  return {
    port,
    path,
    ...(method && { method }),
    ...(headers && { headers }),
    ...(body && { body }),
  };
}

/** Configures and starts an entrant on the proxy core and waits until it forwards. */
export async function openLane(plan: LanePlan, signal: AbortSignal): Promise<Lane> {
  const { entrant, program, load, backend } = plan;
  const folder = join(plan.folder, entrant.name);
  await mkdir(folder);
  const [port, adminPort] = await freePorts(2);
  if (port === undefined || adminPort === undefined) throw new Error('Cannot find two free ports');
  const order = { site: entrant.site, folder, port, adminPort, backendPort: backend.port };
  const command = await peers[entrant.peer].prepare(program, order);
  const child = await startChild(
    entrant.name,
    proxyCore,
    command.program,
    command.args,
    plan.environment,
  );
  try {
    await waitUntilServing(child, targetOf(port, load.paths[0] ?? '/', load), backendBody, signal);
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
  const dispose = () => child[Symbol.asyncDispose]();
  return {
    name: entrant.name,
    child,
    port,
    memory: command.memory,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Asks for every path of a load once. wrk counts only statuses from 400; this finds a redirect or a wrong body too. */
export async function checkPaths(lane: Lane, load: Load): Promise<void> {
  for (const path of load.paths) {
    const fault = await findFault(targetOf(lane.port, path, load), backendBody);
    if (fault !== undefined) throw new Error(`Cannot measure "${lane.name}": ${fault}`);
  }
}

/** Reads one value out of a page in the Prometheus text format, summed over its label sets. */
export function parseMetric(page: string, metric: string): number {
  const lines = page
    .split('\n')
    .filter((line) => line.startsWith(`${metric} `) || line.startsWith(`${metric}{`));
  if (lines.length === 0) throw new Error(`Cannot read metric "${metric}": it is not on the page`);
  return lines.reduce(
    (sum, line) => sum + Number(line.replace(/^[^ {]+(\{.*\})? /, '').split(' ')[0]),
    0,
  );
}

export async function residentMib({ child, memory }: Lane): Promise<number> {
  if (memory.kind === 'process') return (await largestResidentBytes(child.pid)) / 2 ** 20;
  const { port, pathname } = new URL(memory.url);
  const { body } = await get({ port: Number(port), path: pathname });
  return parseMetric(body, memory.metric) / 2 ** 20;
}
