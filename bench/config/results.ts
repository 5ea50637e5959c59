import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describeMachine } from '../src/machine.ts';
import { replaceFile } from '../src/results.ts';
import { type Figure, isMissed, textOf } from './figure.ts';

const folder = join(import.meta.dirname, '../results');

/** Writes config.json and config.md. */
export async function writeResults(
  figures: readonly Figure[],
  versions: Readonly<Record<string, string>>,
): Promise<void> {
  const machine = describeMachine(versions);
  await mkdir(folder, { recursive: true });
  const json = `${JSON.stringify({ machine, figures }, undefined, 2)}\n`;
  await replaceFile(join(folder, 'config.json'), json);
  await replaceFile(join(folder, 'config.md'), markdownOf(figures, machine));
}

export function markdownOf(
  figures: readonly Figure[],
  { cpu, cores, memory_gib, kernel, node, versions, date }: ReturnType<typeof describeMachine>,
): string {
  const others = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const rows = figures.map((figure) => {
    const { name, value, unit, bar } = figure;
    const judged =
      bar === undefined ? '' : `${bar} ${unit}${isMissed(figure) ? ' **missed**' : ''}`;
    return `| ${name} | ${textOf(value)} ${unit} | ${judged.trim()} |`;
  });
  return [
    '# A change of config, from the API server to the data planes',
    '',
    `${cores} x ${cpu}, ${memory_gib} GiB, ${kernel}, Node ${node}, ${others.join(', ')}; ${date}.`,
    '',
    'Everything runs on this one machine: etcd, API server, two controllers, two data planes, and what measures.',
    'Printed by `make bench-config`; [README.md](../README.md#config) says what is measured.',
    '',
    '| what | measured | bar |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
