import { prepareH2load } from './h2load.ts';
import type { Load } from './scenario.ts';
import type { TokenLot } from './tokens.ts';
import { prepareWrk } from './wrk.ts';

/** What became of a load that was sent for some seconds. */
export type LoadResult = {
  requests: number;
  seconds: number;
  rps: number;
  p99Ms: number;
  /** What went wrong and how often; empty when every request got the answer it should. */
  errors: { kind: string; count: number }[];
};

/** Told by a load whose connections are all open before it begins to send, and until it has ended. */
export type Watch = { begin(): Promise<void>; end(): Promise<void> };

/** Sends a load to a port of this machine for some seconds, from the load core. */
export type SendLoad = (
  port: number,
  seconds: number,
  signal: AbortSignal,
  watch?: Watch,
) => Promise<LoadResult>;

/** Writes what a load needs into a folder and returns the function that sends it. `answer` is what each must get. */
export async function prepareLoad(
  load: Load,
  lot: TokenLot | undefined,
  folder: string,
  answer: string,
): Promise<SendLoad> {
  return load.downstream === 'http2'
    ? prepareH2load(load, folder, answer)
    : prepareWrk(load, lot, folder);
}

/** Throws when a measurement counted anything but good answers, since such figures mean nothing. */
export function assertClean(name: string, result: LoadResult): void {
  if (result.requests === 0) throw new Error(`Cannot measure "${name}": no request was answered`);
  if (result.errors.length === 0) return;
  const list = result.errors.map(({ kind, count }) => `${count} x ${kind}`).join(', ');
  throw new Error(
    `Cannot measure "${name}": beside ${result.requests} requests there were ${list}`,
  );
}
