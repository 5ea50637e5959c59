import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describeMachine } from '../src/machine.ts';
import { replaceFile } from '../src/results.ts';
import type { Bars, Figures } from './figures.ts';
import type { Options } from './options.ts';
import type { Event } from './schedule.ts';
import { troubles } from './troubles.ts';

const folder = join(import.meta.dirname, '../results');

export type Outcome = {
  options: Options;
  events: readonly Event[];
  figures: Figures;
  bars: Bars;
  missed: readonly string[];
  /** Of the gateway, by name. */
  counts: Readonly<Record<string, number>>;
};

/** The figures as rows of a table: what, measured, bar. */
export function rowsOf({ figures, bars, events, counts }: Outcome): [string, string, string][] {
  const ms = (value: number) =>
    `${Number.isFinite(value) ? Math.round(value) : 'more than 2000'} ms`;
  const kinds = troubles.map(
    (kind) => `${events.filter(({ trouble }) => trouble === kind).length} ${kind}`,
  );
  return [
    ['requests', String(figures.requests), ''],
    ['troubles', kinds.join(', '), ''],
    ['success', `${figures.success.toFixed(4)} % (${figures.failed} failed)`, `${bars.success} %`],
    ['slowest answer', ms(figures.slowest), ms(bars.latest)],
    ['p99 as before after a repair, worst of all', ms(figures.worstRecovery), ms(bars.recovery)],
    ['p50', `${figures.p50.toFixed(1)} ms`, ''],
    ['p99', `${figures.p99.toFixed(1)} ms`, ''],
    ['p99 before the first trouble', `${figures.p99Calm.toFixed(1)} ms`, ''],
    ...Object.entries(counts).map(([name, value]): [string, string, string] => [
      name,
      String(value),
      '',
    ]),
  ];
}

/** Writes chaos.json and chaos.md. */
export async function writeResults(outcome: Outcome): Promise<void> {
  const machine = describeMachine({});
  await mkdir(folder, { recursive: true });
  await replaceFile(
    join(folder, 'chaos.json'),
    `${JSON.stringify({ machine, ...outcome }, undefined, 2)}\n`,
  );
  await replaceFile(join(folder, 'chaos.md'), markdownOf(outcome, machine));
}

function markdownOf(outcome: Outcome, machine: ReturnType<typeof describeMachine>): string {
  const { seed, seconds, rate, endpoints } = outcome.options;
  const { cpu, cores, memory_gib, kernel, node, date } = machine;
  return [
    '# Endpoints in trouble',
    '',
    `${cores} x ${cpu}, ${memory_gib} GiB, ${kernel}, Node ${node}; ${date}.`,
    '',
    `${endpoints} endpoints, ${rate} requests a second for ${seconds} s, seed ${seed}. Gateway, endpoints and load share`,
    'the machine. Printed by `make chaos`; [README.md](../README.md#chaos) says what is done and measured.',
    '',
    '| what | measured | bar |',
    '| --- | --- | --- |',
    ...rowsOf(outcome).map((cells) => `| ${cells.join(' | ')} |`),
    '',
    outcome.missed.length === 0 ? 'No bar is missed.' : `**Missed**: ${outcome.missed.join('; ')}.`,
    '',
  ].join('\n');
}
