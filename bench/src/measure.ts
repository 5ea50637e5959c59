import { setTimeout as sleep } from 'node:timers/promises';
import { audit } from './audit.ts';
import { checkPaths, type Lane, openLane, residentMib, type Starter } from './lane.ts';
import { assertClean } from './load.ts';
import type { Notice, Program } from './peer.ts';
import type { PeerName } from './peers/registry.ts';
import { proveRefusals } from './refusals.ts';
import type { Figures, Measurement, ScenarioFigures } from './results.ts';
import { proveResumption } from './resumption.ts';
import { takeSample } from './sample.ts';
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
      const { requests, rps, p99Ms, cores, openMib } = await takeSample(
        lane,
        stage,
        seconds,
        signal,
      );
      contender.requests += requests;
      figures.rps.push(rps);
      figures.p99_ms.push(p99Ms);
      figures.cores.push(cores);
      figures.open_mib?.push(openMib ?? Number.NaN);
      const speed = `${Math.round(rps)} requests/s, p99 ${p99Ms.toFixed(2)} ms, ${cores.toFixed(2)} cores`;
      const memory = openMib === undefined ? '' : `, ${openMib.toFixed(0)} MiB`;
      notice(`${stage.scenario.name} ${round + 1}/${rounds} ${lane.name}: ${speed}${memory}`);
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
  for (const { lane, figures } of contenders) {
    await checkPaths(lane, stage.single, stage.backend.answer);
    if (scenario.load.perRequest)
      await proveResumption(lane.port, lane.name, stage, notice, signal);
    const { openMib } = await takeSample(
      lane,
      stage,
      Math.min(warmUpSeconds, pace.seconds),
      signal,
    );
    if (openMib !== undefined) figures.open_mib = [openMib];
  }
  const ceiling = await findCeiling(stage, pace.seconds, signal);
  await runRounds(contenders, stage, pace, notice, signal);
  for (const { starter, lane, figures, requests } of contenders) {
    figures.rss_loaded_mib = Math.max(...(figures.open_mib ?? [await residentMib(lane)]));
    await audit(lane, starter, scenario.load, requests);
  }
  return {
    figures: Object.fromEntries(contenders.map(({ lane, figures }) => [lane.name, figures])),
    measurement: { date: new Date().toISOString(), ...pace, ...ceiling },
  };
}
