import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadCore } from './cores.ts';
import { execute } from './execute.ts';
import type { LoadResult, SendLoad } from './load.ts';
import type { Load } from './scenario.ts';
import type { TokenLot } from './tokens.ts';
import { wrkScript } from './wrk-script.ts';

const errorKinds = {
  connect: 'connect',
  read: 'read',
  write: 'write',
  timeout: 'timeout (2 s)',
  status: 'status >= 400',
};

/** Parses the line that the script of `wrkScript` prints at the end. */
export function parseWrk(stdout: string): LoadResult {
  const line = /^wrk-result (.*)$/m.exec(stdout)?.[1];
  if (line === undefined)
    throw new Error(`Cannot read wrk's result: its line is missing in:\n${stdout}`);
  const fields = new Map(
    line.split(' ').map((field) => field.split('=', 2) as [string, string | undefined]),
  );
  const read = (name: string): number => {
    const value = Number(fields.get(name) ?? Number.NaN);
    if (!Number.isFinite(value))
      throw new Error(`Cannot read wrk's result: no number "${name}" in: ${line}`);
    return value;
  };
  const requests = read('requests');
  const seconds = read('duration_us') / 1e6;
  const errors = Object.entries(errorKinds).map(([name, kind]) => ({ kind, count: read(name) }));
  return {
    requests,
    seconds,
    rps: requests / seconds,
    p99Ms: read('p99_us') / 1000,
    errors: errors.filter(({ count }) => count > 0),
  };
}

/**
 * Writes the script of a load into a folder and returns the function that sends it. Each time it goes on with the
 * request after the last one that it sent to the same port.
 */
export async function prepareWrk(
  load: Load,
  lot: TokenLot | undefined,
  folder: string,
): Promise<SendLoad> {
  const script = join(folder, 'load.lua');
  await writeFile(script, wrkScript(load, lot));
  const sent = new Map<number, number>();
  return async (port, seconds, signal) => {
    const wrk = ['wrk', '-t1', `-c${load.connections}`, `-d${seconds}s`, '--latency', '-s', script];
    const scheme = load.downstream === 'tls' ? 'https' : 'http';
    const url = `${scheme}://127.0.0.1:${port}${load.paths[0] ?? '/'}`;
    const start = sent.get(port) ?? 0;
    const { code, stdout, stderr } = await execute(
      'taskset',
      ['-c', String(loadCore), ...wrk, url, '--', String(start)],
      { signal },
    );
    if (code !== 0) throw new Error(`Cannot run wrk: exit code ${code}\n${stdout}${stderr}`);
    const result = parseWrk(stdout);
    // Each connection may have had one more request under way at the end.
    sent.set(port, start + result.requests + load.connections);
    return result;
  };
}
