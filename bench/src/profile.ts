import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CpuProfile,
  type ProfileSummary,
  renderProfile,
  type Stretch,
  summarizeProfile,
} from './cpu-profile.ts';
import { openLane, type Starter } from './lane.ts';
import type { Notice } from './peer.ts';
import { takeSample } from './sample.ts';
import type { Scenario } from './scenario.ts';
import { openStage } from './stage.ts';

const warmUpSeconds = 2;
const functionCount = 25;

/** The monotonic clock that V8 stamps its samples with. */
function clockMicroseconds(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** Node writes one profile per process and thread; the one that was busiest under load is the data plane's. */
async function readBusiest(folder: string, stretch: Stretch): Promise<ProfileSummary> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.cpuprofile'));
  const summaries = await Promise.all(
    names.map(async (name) => {
      const profile: CpuProfile = JSON.parse(await readFile(join(folder, name), 'utf8'));
      return summarizeProfile(profile, stretch);
    }),
  );
  const [busiest] = summaries.sort((a, b) => b.busyMs - a.busyMs);
  if (busiest === undefined)
    throw new Error('Cannot read the CPU profile: the process wrote none, is it a Node program?');
  return busiest;
}

/** Runs one entrant under load with V8's profiler on and prints where its time goes. */
export async function profile(
  scenario: Scenario,
  starter: Starter,
  seconds: number,
  notice: Notice,
  signal: AbortSignal,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const stage = await openStage(scenario, stack, signal);
  const folder = join(stage.folder, 'profiles');
  await mkdir(folder);
  const environment = { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${folder}` };
  const lane = stack.use(await openLane(starter, stage, signal, { environment }));
  await takeSample(lane, stage, Math.min(warmUpSeconds, seconds), signal);
  const from = clockMicroseconds();
  const { rps } = await takeSample(lane, stage, seconds, signal);
  const to = clockMicroseconds();
  // The profile is written at exit. The stack will dispose the lane once more, which then does nothing.
  await lane[Symbol.asyncDispose]();
  const summary = await readBusiest(folder, { from, to });
  notice(`\n${scenario.name}, ${starter.name}: ${Math.round(rps)} requests/s with the profiler on`);
  notice(renderProfile(summary, functionCount));
}
