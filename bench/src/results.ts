import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Machine } from './machine.ts';

/** What was measured of one entrant. Lists have one number per round. */
export type Figures = {
  rps: number[];
  p99_ms: number[];
  /** Cores that the proxy used while under load: about 1 when it was the bottleneck. */
  cores: number[];
  /** Two seconds after it was ready, before any load. */
  rss_mib: number;
  /** After the last round; the most of `open_mib` where there is one. */
  rss_loaded_mib: number;
  /** While all connections were open, each time that they were opened, the warm-up first. */
  open_mib?: number[];
};

export type ScenarioFigures = Record<string, Figures>;

/** How a scenario was measured; kept per scenario, since a run may replace only one. */
export type Measurement = {
  date: string;
  rounds: number;
  seconds: number;
  /**
   * What load generator and backend reach on the load core without a proxy in between; missing where they cannot talk
   * to each other.
   */
  ceiling_rps?: number;
};

export type Results = {
  machine: Machine & { measurements: Record<string, Measurement> };
  scenarios: Record<string, ScenarioFigures>;
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses results that an earlier run wrote. They are our own, so the outline is checked and not every number. */
export function parseResults(text: string): Results {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value) || !isRecord(value.machine) || !isRecord(value.scenarios)) {
    throw new Error('it has no machine or no scenarios');
  }
  if (!isRecord(value.machine.measurements)) throw new Error('its machine has no measurements');
  return value as Results;
}

/** Reads the results of earlier runs; undefined when there are none. */
export async function readResults(path: string): Promise<Results | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return parseResults(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot read results "${path}": ${reason}; move the file away to start anew`);
  }
}

/** New figures replace those of the same scenario; figures of other scenarios stay. */
export function mergeResults(earlier: Results | undefined, fresh: Results): Results {
  return {
    machine: {
      ...fresh.machine,
      versions: { ...earlier?.machine.versions, ...fresh.machine.versions },
      measurements: { ...earlier?.machine.measurements, ...fresh.machine.measurements },
    },
    scenarios: { ...earlier?.scenarios, ...fresh.scenarios },
  };
}

/** Replaces a file as a whole: a reader, or a run that is interrupted, never sees half of it. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const partial = `${path}.partial`;
  await writeFile(partial, text);
  await rename(partial, path);
}
