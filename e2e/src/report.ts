import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { dirname, relative, resolve } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';
import { versions } from '../cluster/versions.ts';
import type { Figure, LoadFigure } from './figures.ts';

const repository = resolve(import.meta.dirname, '../..');

/**
 * Prints at the end what the suites measured, and writes it to `file` where one is given (a path from
 * the root of the repository).
 */
export function figuresReporter(file: string | undefined): Reporter {
  const began = performance.now();
  return {
    async onTestRunEnd(modules) {
      const tests = modules.flatMap((module) => [...module.children.allTests()]);
      const figures = tests.flatMap((test) => test.meta().figures ?? []);
      const loads = tests.flatMap((test) => test.meta().loads ?? []);
      const tables = [...loadTable(loads), ...figureTable(figures)];
      process.stdout.write(`\n${tables.join('\n')}\n`);
      if (!file) return;
      const path = resolve(repository, file);
      const minutes = (performance.now() - began) / 60_000;
      const text = [...headOf(modules, minutes), ...tables, ...suiteTable(modules)].join('\n');
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, `${text}\n`);
    },
  };
}

function headOf(modules: readonly TestModule[], minutes: number): string[] {
  const counts = countsOf(modules);
  const cpu = cpus()[0]?.model ?? 'unknown';
  const memory = Math.round(totalmem() / 2 ** 30);
  return [
    '# What the suites measured',
    '',
    `Written by \`make e2e\` on ${new Date().toISOString().slice(0, 10)}: ${counts}, in ${minutes.toFixed(0)} minutes.`,
    `Machine: ${availableParallelism()} cores (${cpu}), ${memory} GiB, which run the load, the backends, the data planes and`,
    `all of Kubernetes ${versions.kubernetes} at the same time. Node ${process.version}.`,
    '',
  ];
}

function countsOf(modules: readonly TestModule[]): string {
  const states = modules.flatMap((module) =>
    [...module.children.allTests()].map((test) => test.result().state),
  );
  const count = (state: string) => states.filter((each) => each === state).length;
  const skipped = count('skipped');
  return `${count('passed')} passed, ${count('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

function loadTable(loads: readonly LoadFigure[]): string[] {
  if (loads.length === 0) return [];
  return [
    '## Requests while something is disturbed',
    '',
    'Every request is accounted for; milliseconds are from when it was due to the end of its answer.',
    '',
    '| meanwhile | seconds | requests | a second | failed | p50 ms | p99 ms | max ms |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...loads.map(({ name, seconds, sent, failed, latency: { p50, p99, max } }) => {
      const rate = Math.round(sent / seconds);
      return `| ${name} | ${seconds} | ${sent} | ${rate} | ${failed} | ${p50} | ${p99} | ${max} |`;
    }),
    '',
  ];
}

function figureTable(figures: readonly Figure[]): string[] {
  if (figures.length === 0) return [];
  return [
    '## Other figures',
    '',
    '| what | measured | wanted at most | |',
    '| --- | ---: | ---: | --- |',
    ...figures.map(({ name, value, unit, most }) => {
      const bar = most === undefined ? '' : `${most} ${unit}`;
      const verdict = most === undefined ? '' : value <= most ? 'met' : 'missed';
      return `| ${name} | ${value} ${unit} | ${bar} | ${verdict} |`;
    }),
    '',
  ];
}

function suiteTable(modules: readonly TestModule[]): string[] {
  return [
    '## Suites',
    '',
    '| suite | tests | seconds |',
    '| --- | --- | ---: |',
    ...modules.map((module) => {
      const name = relative(repository, module.moduleId);
      const seconds = (module.diagnostic().duration / 1000).toFixed(0);
      return `| ${name} | ${countsOf([module])} | ${seconds} |`;
    }),
  ];
}
