import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Figures, mergeResults, type Results, readResults, replaceFile } from './results.ts';

const figures: Figures = { rps: [1], p99_ms: [1], cores: [1], rss_mib: 1, rss_loaded_mib: 1 };

function results(date: string, names: readonly string[]): Results {
  const measurement = { date, rounds: 1, seconds: 1, ceiling_rps: 1 };
  return {
    machine: {
      cpu: 'A CPU',
      cores: 2,
      memory_gib: 24,
      kernel: 'linux',
      node: 'v26',
      versions: Object.fromEntries(names.map((name) => [`peer of ${name}`, date])),
      date,
      measurements: Object.fromEntries(names.map((name) => [name, measurement])),
    },
    scenarios: Object.fromEntries(names.map((name) => [name, { nginx: figures }])),
  };
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-results-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('mergeResults', () => {
  test('a run replaces its own scenarios and keeps the others', () => {
    const merged = mergeResults(results('monday', ['plain', 'jwt']), results('tuesday', ['plain']));
    expect(Object.keys(merged.scenarios)).toEqual(['plain', 'jwt']);
    expect(merged.machine.date).toBe('tuesday');
    expect(merged.machine.measurements.plain?.date).toBe('tuesday');
    expect(merged.machine.measurements.jwt?.date).toBe('monday');
    expect(merged.machine.versions).toEqual({
      'peer of plain': 'tuesday',
      'peer of jwt': 'monday',
    });
  });

  test('the first run is taken as it is', () => {
    const fresh = results('monday', ['plain']);
    expect(mergeResults(undefined, fresh)).toEqual(fresh);
  });
});

describe('results on disk', () => {
  test('are read back as written, and nothing else is left in the folder', async () => {
    const path = join(folder, 'latest.json');
    await replaceFile(path, JSON.stringify(results('monday', ['plain'])));
    expect(await readResults(path)).toEqual(results('monday', ['plain']));
    expect(await readdir(folder)).toEqual(['latest.json']);
  });

  test('may be missing', async () => {
    expect(await readResults(join(folder, 'latest.json'))).toBeUndefined();
  });

  test.each(['{', '[]', '{}', '{"machine":{},"scenarios":{}}'])(
    'that make no sense (%s) are refused and kept',
    async (text) => {
      const path = join(folder, 'latest.json');
      await writeFile(path, text);
      await expect(readResults(path)).rejects.toThrow(/Cannot read results .*move the file away/);
      expect(await readFile(path, 'utf8')).toBe(text);
    },
  );
});
