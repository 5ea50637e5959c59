import { versions } from '../../e2e/cluster/versions.ts';
import type { Context, Measurement } from './context.ts';
import { type Figure, isMissed, lineOf } from './figure.ts';
import { burst } from './measurements/burst.ts';
import { lastKnownGood } from './measurements/last-known-good.ts';
import { churn, propagation } from './measurements/propagation.ts';
import { steady } from './measurements/steady.ts';
import { swaps } from './measurements/swaps.ts';
import { optionsOf } from './options.ts';
import { addRoutes, populate, probeName, untilProgrammed } from './population.ts';
import { writeResults } from './results.ts';
import { closeServing, untilServed } from './serving.ts';
import { type Stage, setStage } from './stage.ts';

/** In this order: each leaves more Routes to the next, and the last one stops the controllers. */
const measurements: readonly Measurement[] = [
  propagation,
  churn,
  burst,
  swaps,
  steady,
  lastKnownGood,
];

/** Routes and Services at the beginning; a Service has 40 endpoints. */
const full = { routes: 3000, services: 500 };

/** Measures, prints and writes what was measured. @returns the exit code. */
export async function run(args: string[]): Promise<number> {
  const options = optionsOf(
    args,
    measurements.map(({ name }) => name),
  );
  const { only, scale, programs, profile, strict } = options;
  const notice = (line: string) => void process.stderr.write(`${line}\n`);
  const figures: Figure[] = [];
  const stage = await setStage(programs, profile);
  process.once('SIGINT', () => void stage.stop().finally(() => process.exit(130)));
  try {
    const context = await prepare(stage, scale, notice);
    for (const { name, measure } of measurements) {
      if (only !== undefined && !only.includes(name)) continue;
      notice(`measuring: ${name}`);
      for (const figure of await measure(context)) {
        figures.push(figure);
        process.stdout.write(`${lineOf(figure)}\n`);
      }
    }
  } finally {
    closeServing();
    await stage.stop();
  }
  const whole = only === undefined && scale === 1 && profile === undefined && programs === 'dist';
  if (whole) {
    await writeResults(figures, { kubernetes: versions.kubernetes });
    notice('Written to bench/results/config.json and config.md.');
  }
  const missed = figures.filter(isMissed);
  notice(missed.length === 0 ? 'No bar is missed.' : `${missed.length} bars are missed.`);
  return strict && missed.length > 0 ? 1 : 0;
}

async function prepare(stage: Stage, scale: number, notice: Context['notice']): Promise<Context> {
  const count = (whole: number) => Math.max(1, Math.round(whole * scale));
  const size = { routes: count(full.routes), services: count(full.services) };
  notice(`making ${size.routes} Routes and ${size.services} Services`);
  await populate(stage, size);
  await addRoutes(stage, size, 0, size.routes);
  const begin = performance.now();
  const controllers = [await stage.startController('c-1'), await stage.startController('c-2')];
  const dataPlanes = await Promise.all(
    controllers.map((controller, n) => stage.startDataPlane(n + 1, controller)),
  );
  const targets = dataPlanes.map(({ host }) => ({ host, port: stage.port }));
  await untilServed(targets, `${probeName(0)}.example.com`, 'first');
  notice(`served after ${Math.round(performance.now() - begin)} ms`);
  await untilProgrammed(stage);
  notice(`programmed after ${Math.round(performance.now() - begin)} ms`);
  return {
    stage,
    size,
    routes: size.routes,
    controllers,
    dataPlanes,
    targets,
    seconds: (whole) => Math.max(2, whole * scale),
    count,
    notice,
  };
}
