import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadCore } from './cores.ts';
import { execute } from './execute.ts';
import type { LoadResult, SendLoad } from './load.ts';
import type { Load } from './scenario.ts';

/** What h2load reports, without latencies: of those it gives mean and maximum only. */
export type H2loadReport = Omit<LoadResult, 'p99Ms'> & {
  /** Bytes of bodies that were received. */
  bodyBytes: number;
};

const units: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1 };

/** Parses what h2load prints at the end of a run that was given its length. */
export function parseH2load(stdout: string): H2loadReport {
  const read = (pattern: RegExp, what: string): string[] => {
    const match = pattern.exec(stdout);
    if (match === null)
      throw new Error(`Cannot read h2load's result: no ${what} in:\n${stdout.slice(-2000)}`);
    return match.slice(1);
  };
  const [time, unit = 's', rps] = read(
    /^finished in ([\d.]+)(us|ms|s), ([\d.]+) req\/s/m,
    'line "finished in"',
  );
  const [done, failed, errored, timeout] = read(
    /^requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/m,
    'line "requests:"',
  );
  const statuses = read(
    /^status codes: \d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/m,
    'line "status codes:"',
  );
  const [bytes] = read(/^traffic: .*\((\d+)\) data$/m, 'line "traffic:"');
  const errors = [
    { kind: 'failed', count: Number(failed) },
    { kind: 'errored', count: Number(errored) },
    { kind: 'timeout', count: Number(timeout) },
    {
      kind: 'status other than 2xx',
      count: statuses.map(Number).reduce((sum, each) => sum + each),
    },
  ];
  return {
    requests: Number(done),
    seconds: Number(time) * (units[unit] ?? Number.NaN),
    rps: Number(rps),
    bodyBytes: Number(bytes),
    errors: errors.filter(({ count }) => count > 0),
  };
}

/** The p99 of h2load's log, which has a line a request: when, status, microseconds until the answer was whole. */
export function readP99Ms(log: string): number {
  const times = log.split('\n').flatMap((line) => {
    const field = line.slice(line.lastIndexOf('\t') + 1);
    return field === '' ? [] : [Number(field)];
  });
  const sorted = Float64Array.from(times).sort();
  const at = Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99));
  return (sorted[at] ?? Number.NaN) / 1000;
}

/** What says that some answers had no body, or another one than the backend's; undefined when all are there. */
export function findBodyFault(
  { requests, bodyBytes }: Pick<H2loadReport, 'requests' | 'bodyBytes'>,
  answerBytes: number,
  underWay: number,
): string | undefined {
  // Those under way at the end may have had theirs and are not counted.
  const least = requests * answerBytes;
  const most = (requests + underWay) * answerBytes;
  if (bodyBytes >= least && bodyBytes <= most) return undefined;
  return `${requests} answers of ${answerBytes} bytes had ${bodyBytes} bytes in all`;
}

/** Returns the function that has h2load send a load: HTTP/2 in cleartext, with prior knowledge. */
export async function prepareH2load(
  { connections, streams = 1, paths, headers = {}, body }: Load,
  folder: string,
  answer: string,
): Promise<SendLoad> {
  const log = join(folder, 'h2load.log');
  const payload = join(folder, 'h2load-body');
  const args = ['-t1', `-c${connections}`, `-m${streams}`, `--log-file=${log}`];
  for (const [name, value] of Object.entries(headers)) args.push('-H', `${name}: ${value}`);
  if (body !== undefined) {
    await writeFile(payload, body);
    args.push('-d', payload);
  }
  return async (port, seconds, signal) => {
    const urls = paths.map((path) => `http://127.0.0.1:${port}${path}`);
    // It adds to a log that is there.
    await rm(log, { force: true });
    const { code, stdout, stderr } = await execute(
      'taskset',
      ['-c', String(loadCore), 'h2load', `-D${seconds}`, ...args, ...urls],
      { signal },
    );
    if (code !== 0) throw new Error(`Cannot run h2load: exit code ${code}\n${stdout}${stderr}`);
    const { bodyBytes, ...report } = parseH2load(stdout);
    const fault = findBodyFault(
      { ...report, bodyBytes },
      Buffer.byteLength(answer),
      connections * streams,
    );
    if (fault !== undefined && report.errors.length === 0)
      throw new Error(`Cannot take what h2load measured: ${fault}`);
    return { ...report, p99Ms: readP99Ms(await readFile(log, 'utf8')) };
  };
}
