import type { Region } from '../workers/fleet.ts';
import { durationBounds, durationWidth, families, requestDuration } from './families.ts';

/** A number of the process as a whole, with its help text. */
export type ProcessMetric = {
  name: string;
  type: 'counter' | 'gauge';
  help: string;
  value: number;
  /** Rendered; left out: none. Samples of one name stand together. */
  labels?: string;
};

/** Text exposition format 0.0.4: the sum of all threads, then the numbers of the process. */
export function prometheusText(
  regions: readonly Region[],
  process: readonly ProcessMetric[],
): string {
  const lines: string[] = [];
  for (const { name, type, help, combine } of families) {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    const width = name === requestDuration.name ? durationWidth : 1;
    const sums = combine === 'max' ? most(regions, name) : sum(regions, name, width);
    for (const labels of [...sums.keys()].sort()) {
      const values = sums.get(labels) ?? [];
      if (type === 'histogram') lines.push(...histogram(name, labels, values));
      else lines.push(`${name}${braced(labels)} ${values[0]}`);
    }
  }
  let before = '';
  for (const { name, type, help, value, labels = '' } of process) {
    if (name !== before) lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    before = name;
    lines.push(`${name}${braced(labels)} ${value}`);
  }
  return `${lines.join('\n')}\n`;
}

function braced(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}

/** The largest value of each series; one that is 0 everywhere is over. */
function most(regions: readonly Region[], family: string): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const { values, names } of regions) {
    for (const { family: named, labels, slot } of names) {
      const value = values[slot] ?? 0;
      if (named !== family || value === 0) continue;
      found.set(labels, [Math.max(found.get(labels)?.[0] ?? 0, value)]);
    }
  }
  return found;
}

function sum(regions: readonly Region[], family: string, width: number): Map<string, number[]> {
  const sums = new Map<string, number[]>();
  for (const { values, names } of regions) {
    for (const { family: named, labels, slot } of names) {
      if (named !== family) continue;
      const total = sums.get(labels) ?? new Array<number>(width).fill(0);
      for (let i = 0; i < width; i++) total[i] = (total[i] ?? 0) + (values[slot + i] ?? 0);
      sums.set(labels, total);
    }
  }
  return sums;
}

function histogram(name: string, labels: string, values: readonly number[]): string[] {
  const lines: string[] = [];
  let count = 0;
  for (const [index, bound] of [...durationBounds, '+Inf'].entries()) {
    count += values[index] ?? 0;
    lines.push(`${name}_bucket{${labels},le="${bound}"} ${count}`);
  }
  lines.push(`${name}_sum{${labels}} ${values[durationWidth - 1]}`);
  lines.push(`${name}_count{${labels}} ${count}`);
  return lines;
}
