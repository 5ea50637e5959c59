import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { judge } from './bars.ts';
import { describeMachine } from './machine.ts';
import { lineUp, measure } from './measure.ts';
import { findMissing, h2loadVersion } from './needs.ts';
import type { Options } from './options.ts';
import type { Notice, Program } from './peer.ts';
import { type PeerName, peers } from './peers/registry.ts';
import { profile } from './profile.ts';
import { mergeResults, type Results, readResults, replaceFile } from './results.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios/registry.ts';
import { renderResults, renderScenario } from './table.ts';
import { requireTools } from './tools.ts';

const resultsFolder = join(import.meta.dirname, '..', 'results');

/** Looks for the programs of all entrants that may take part; says which are left out and why. */
async function findPrograms(
  { scenarios: chosen, only }: Options,
  notice: Notice,
  signal: AbortSignal,
): Promise<Map<PeerName, Program>> {
  const entrants = chosen.flatMap((scenario) => scenario.entrants);
  const wanted = entrants.filter(
    ({ name, peer }) => only === undefined || only.includes(name) || only.includes(peer),
  );
  const programs = new Map<PeerName, Program>();
  for (const name of new Set(wanted.map((entrant) => entrant.peer))) {
    const found = await peers[name].find(notice, signal);
    if (found.kind === 'found') programs.set(name, found);
    else if (found.required) throw new Error(`Cannot measure ${name}: ${found.reason}`);
    else notice(`${name} is left out: ${found.reason}`);
  }
  return programs;
}

function anyBarFailed(chosen: readonly Scenario[], { scenarios: figures }: Results): boolean {
  return chosen.some(({ name, bars }) =>
    bars.some((bar) => judge(bar, figures[name] ?? {}).outcome !== 'met'),
  );
}

async function profileAll(options: Options, notice: Notice, signal: AbortSignal): Promise<void> {
  const only = options.only ?? ['gatehouse'];
  const programs = await findPrograms({ ...options, only }, notice, signal);
  for (const scenario of options.scenarios) {
    const missing = await findMissing(scenario);
    if (missing !== undefined) throw new Error(`Cannot profile in ${scenario.name}: ${missing}`);
    for (const starter of lineUp(scenario, programs, only)) {
      await profile(scenario, starter, options.seconds, notice, signal);
    }
  }
}

async function measureAll(
  options: Options,
  wrkVersion: string,
  notice: Notice,
  signal: AbortSignal,
): Promise<Results> {
  const programs = await findPrograms(options, notice, signal);
  const versions = Object.fromEntries([...programs].map(([name, { version }]) => [name, version]));
  const h2load = await h2loadVersion();
  const machine = describeMachine({ ...versions, wrk: wrkVersion, ...(h2load && { h2load }) });
  const fresh: Results = { machine: { ...machine, measurements: {} }, scenarios: {} };
  const pace = { rounds: options.rounds, seconds: options.seconds };
  for (const scenario of options.scenarios) {
    const starters = lineUp(scenario, programs, options.only);
    if (starters.length === 0) continue;
    const missing = await findMissing(scenario);
    if (missing !== undefined) {
      notice(`${scenario.name} is left out: ${missing}`);
      continue;
    }
    const { figures, measurement } = await measure(scenario, starters, pace, notice, signal);
    fresh.scenarios[scenario.name] = figures;
    fresh.machine.measurements[scenario.name] = measurement;
    notice(`\n${renderScenario(scenario, figures, measurement)}\n`);
  }
  return fresh;
}

/** Runs what the options ask for and returns the exit code. */
export async function run(options: Options, notice: Notice, signal: AbortSignal): Promise<number> {
  const wrkVersion = await requireTools();
  if (options.profile) {
    await profileAll(options, notice, signal);
    return 0;
  }
  const path = join(resultsFolder, 'latest.json');
  const earlier = await readResults(path);
  const fresh = await measureAll(options, wrkVersion, notice, signal);
  if (options.only === undefined) {
    const results = mergeResults(earlier, fresh);
    await mkdir(resultsFolder, { recursive: true });
    await replaceFile(path, `${JSON.stringify(results, undefined, 2)}\n`);
    await replaceFile(join(resultsFolder, 'latest.md'), renderResults(scenarios, results));
    notice('Written to bench/results/latest.json and latest.md.');
  } else {
    notice('PEERS is set, so bench/results is left as it was.');
  }
  return options.enforceBars && anyBarFailed(options.scenarios, fresh) ? 1 : 0;
}
