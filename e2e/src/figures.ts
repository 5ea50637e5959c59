import { TestRunner } from 'vitest';
import { lineOf, type Report } from '../load/report.ts';

/** Something measured, for the report of the run. A machine that is slow misses a bar and fails no test. */
export type Figure = {
  name: string;
  value: number;
  unit: string;
  /** What it should be at most. */
  most?: number;
};

/** What became of the requests of one disturbance. */
export type LoadFigure = Omit<Report, 'failures' | 'bodies'> & { name: string; failed: number };

declare module 'vitest' {
  interface TaskMeta {
    figures?: Figure[];
    loads?: LoadFigure[];
  }
}

/** Prints a figure of the running test and puts it into the report of the run. */
export function figure(measured: Figure): void {
  const { name, value, unit, most } = measured;
  const bar = most === undefined ? '' : ` (at most ${most} ${unit} wanted)`;
  process.stderr.write(`e2e: ${name}: ${value} ${unit}${bar}\n`);
  const { meta } = runningTest();
  meta.figures = [...(meta.figures ?? []), measured];
}

/** The same for a load. */
export function loadFigure(name: string, report: Report): void {
  process.stderr.write(`e2e: ${name}: ${lineOf(report)}\n`);
  const { failures, bodies: _, ...counted } = report;
  const { meta } = runningTest();
  meta.loads = [...(meta.loads ?? []), { ...counted, name, failed: failures.length }];
}

/** Seconds since `began`, a performance.now(), to a tenth. */
export function secondsSince(began: number): number {
  return Number(((performance.now() - began) / 1000).toFixed(1));
}

function runningTest() {
  const test = TestRunner.getCurrentTest();
  if (test === undefined) throw new Error('Cannot take a figure: no test runs');
  return test;
}
