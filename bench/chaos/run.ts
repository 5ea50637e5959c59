import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Bars, type Figures, figuresOf, missedBars, type Sample } from './figures.ts';
import { type Gateway, startGateway, times } from './gateway.ts';
import { type Options, usual } from './options.ts';
import { type Outcome, rowsOf, writeResults } from './results.ts';
import { type Event, repairsOf, scheduleOf } from './schedule.ts';
import type { Mode } from './troubles.ts';

const bars: Bars = { success: 99.99, latest: times.request + 100, recovery: 2000 };

/** Metrics of the gateway that are shown, summed up over their labels. */
const shown = [
  'gateway_retries_total',
  'gateway_retries_denied_total',
  'gateway_endpoint_ejections_total',
  'gateway_health_checks_total',
];

/** Runs the chaos, prints and writes figures. @returns the exit code. */
export async function run(options: Options): Promise<number> {
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  const { seed, seconds, rate, endpoints } = options;
  print(`seed ${seed} (SEED=${seed} does the same again), ${seconds} s`);
  const events = scheduleOf(seed, endpoints, seconds * 1000);
  await using stack = new AsyncDisposableStack();
  const backends = programOf('endpoints-program.ts', stack);
  backends.send({ start: endpoints });
  const { ports } = await messageOf<{ ports: number[] }>(backends, 'ports');
  const gateway = await startGateway(ports, options.workers);
  stack.defer(() => gateway.stop());
  await untilWell(gateway);
  const load = programOf('load-program.ts', stack);
  const samples = messageOf<{ samples: Sample[] }>(load, 'samples');
  load.send({ port: gateway.port, rate, milliseconds: seconds * 1000 });
  await messageOf(load, 'begun');
  const stop = disturb(events, (endpoint, mode) => backends.send({ endpoint, mode }), print);
  stack.defer(stop);
  const figures = figuresOf((await samples).samples, repairsOf(events));
  const counts = countsOf(await gateway.metrics());
  const missed = missedBars(figures, bars);
  const outcome: Outcome = { options, events, figures, bars, missed, counts };
  return report(outcome, figures, print);
}

async function report(outcome: Outcome, figures: Figures, print: (line: string) => void) {
  for (const [what, measured, bar] of rowsOf(outcome)) {
    print(`${what.padEnd(46)} ${measured}${bar === '' ? '' : ` (bar: ${bar})`}`);
  }
  if (figures.failed > 0) print(`statuses: ${JSON.stringify(figures.statuses)}`);
  if (outcome.options.seconds === usual.seconds && outcome.options.workers === usual.workers) {
    await writeResults(outcome);
    print('Written to bench/results/chaos.json and chaos.md.');
  }
  for (const sentence of outcome.missed) print(`missed: ${sentence}`);
  return outcome.missed.length === 0 ? 0 : 1;
}

type Child = ReturnType<typeof fork>;

function programOf(file: string, stack: AsyncDisposableStack): Child {
  const child = fork(join(import.meta.dirname, file), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const exited = once(child, 'exit');
  stack.defer(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  return child;
}

function messageOf<T>(child: Child, type: string): Promise<T> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: { type: string }) => {
      if (message.type === type) resolve(message as T);
    });
    child.once('exit', (code) => reject(new Error(`A program ended with code ${code}`)));
  });
}

/** Sets each endpoint to its trouble and back when it is time. Returns what ends that. */
function disturb(
  events: readonly Event[],
  set: (endpoint: number, mode: Mode) => void,
  print: (line: string) => void,
): () => void {
  const timers = events.flatMap(({ endpoint, trouble, at, repairedAt }) => [
    setTimeout(() => {
      print(`${(at / 1000).toFixed(1).padStart(6)} s  endpoint ${endpoint} is ${trouble}`);
      set(endpoint, trouble);
    }, at),
    setTimeout(() => set(endpoint, 'well'), repairedAt),
  ]);
  return () => {
    for (const timer of timers) clearTimeout(timer);
  };
}

async function untilWell(gateway: Gateway) {
  for (let i = 0; i < 200; i++) {
    const { status } = await fetch(`http://127.0.0.1:${gateway.port}/chaos`);
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('Cannot begin: the gateway answers nothing but errors');
}

function countsOf(metrics: string): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const name of shown) {
    const lines = metrics.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)$`, 'gm'));
    sums[name] = [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
  }
  return sums;
}
