import { setTimeout as sleep } from 'node:timers/promises';
import { audit } from './audit.ts';
import { checkPaths, type Lane, openLane, residentMib, type Starter } from './lane.ts';
import { assertClean } from './load.ts';
import type { Notice, Program } from './peer.ts';
import type { PeerName } from './peers/registry.ts';
import { cpuSeconds } from './process-tree.ts';
import { proveRefusals } from './refusals.ts';
import type { Figures, Measurement, ScenarioFigures } from './results.ts';
import { proveResumption } from './resumption.ts';
import type { Scenario } from './scenario.ts';
import { openStage, type Stage } from './stage.ts';
import { rotate } from './statistics.ts';

export type Pace = { rounds: number; seconds: number };

/** Keeps the entrants whose program was found and, with `only`, whose own name or peer is in that list. */
export function lineUp(
  { entrants }: Scenario,
  programs: ReadonlyMap<PeerName, Program>,
  only: readonly string[] | undefined,
): Starter[] {
  return entrants.flatMap((entrant) => {
    const program = programs.get(entrant.peer);
    const wanted = only === undefined || only.includes(entrant.name) || only.includes(entrant.peer);
    return program && wanted ? [{ ...entrant, program }] : [];
  });
}

const settleMs = 2000;

/** Enough for a JIT compiler to get to the hot path. */
const warmUpSeconds = 2;

type Sample = {
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

/** `requests` counts those of its rounds. */
type Contender = { starter: Starter; lane: Lane; figures: Figures; requests: number };

/** Starts every entrant, has it show what it refuses, and reads its memory while nothing happens. */
async function openContenders(
  starters: readonly Starter[],
  stage: Stage,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<Contender[]> {
  const open: { starter: Starter; lane: Lane }[] = [];
  for (const starter of starters) {
    const lane = stack.use(await openLane(starter, stage, signal));
    await proveRefusals(starter, lane, stage, signal);
    open.push({ starter, lane });
  }
  await sleep(settleMs, undefined, { signal });
  return Promise.all(
    open.map(async ({ starter, lane }) => ({
      starter,
      lane,
      figures: {
        rps: [],
        p99_ms: [],
        cores: [],
        rss_mib: await residentMib(lane),
        rss_loaded_mib: 0,
      },
      requests: 0,
    })),
  );
}

async function runRounds(
  contenders: readonly Contender[],
  stage: Stage,
  { rounds, seconds }: Pace,
  notice: Notice,
  signal: AbortSignal,
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of rotate(contenders, round)) {
      const { lane, figures } = contender;
      const {
        requests,
        rps,
        p99Ms,
        cores,
        openMib = 0,
      } = await takeSample(lane, stage, seconds, signal);
      contender.requests += requests;
      figures.rps.push(rps);
      figures.p99_ms.push(p99Ms);
      figures.cores.push(cores);
      figures.rss_loaded_mib = Math.max(figures.rss_loaded_mib, openMib);
      const speed = `${Math.round(rps)} requests/s, p99 ${p99Ms.toFixed(2)} ms, ${cores.toFixed(2)} cores`;
      notice(`${stage.scenario.name} ${round + 1}/${rounds} ${lane.name}: ${speed}`);
    }
  }
}

/** What the load reaches without a proxy; nothing where the backend does not speak what clients speak. */
async function findCeiling(
  { scenario: { load }, wire, send, backend }: Stage,
  seconds: number,
  signal: AbortSignal,
): Promise<{ ceiling_rps?: number }> {
  const same = wire.downstream === wire.upstream;
  if (!same || load.rate !== undefined) return {};
  const result = await send(backend.port, seconds, signal);
  assertClean('backend', result);
  return { ceiling_rps: result.rps };
}

/** Measures the line-up of a scenario side by side. Whatever happens, nothing it started is left behind. */
export async function measure(
  scenario: Scenario,
  starters: readonly Starter[],
  pace: Pace,
  notice: Notice,
  signal: AbortSignal,
): Promise<{ figures: ScenarioFigures; measurement: Measurement }> {
  await using stack = new AsyncDisposableStack();
  const stage = await openStage(scenario, stack, signal);
  const contenders = await openContenders(starters, stage, stack, signal);
  for (const { lane } of contenders) {
    await checkPaths(lane, stage.single, stage.backend.answer);
    if (scenario.load.perRequest)
      await proveResumption(lane.port, lane.name, stage, notice, signal);
    await takeSample(lane, stage, Math.min(warmUpSeconds, pace.seconds), signal);
  }
  const ceiling = await findCeiling(stage, pace.seconds, signal);
  await runRounds(contenders, stage, pace, notice, signal);
  for (const { starter, lane, figures, requests } of contenders) {
    if (figures.rss_loaded_mib === 0) figures.rss_loaded_mib = await residentMib(lane);
    await audit(lane, starter, scenario.load, requests);
  }
  return {
    figures: Object.fromEntries(contenders.map(({ lane, figures }) => [lane.name, figures])),
    measurement: { date: new Date().toISOString(), ...pace, ...ceiling },
  };
}
