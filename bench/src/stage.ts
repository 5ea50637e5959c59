import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Backend, startBackend } from './backend.ts';
import { temporaryFolder } from './folder.ts';
import { freePorts } from './ports.ts';
import { startBenchRedis } from './redis.ts';
import type { Load, Scenario } from './scenario.ts';
import { makeTokens, type TokenLot } from './tokens.ts';
import { prepareLoad, type SendLoad } from './wrk.ts';

/** What the entrants of a scenario share. */
export type Stage = {
  scenario: Scenario;
  folder: string;
  backend: Backend;
  send: SendLoad;
  /** The load's tokens; undefined when it has none. */
  lot: TokenLot | undefined;
  /** Undefined when the scenario has no Redis. */
  redisPort: number | undefined;
  /** The load as it is asked for one request at a time: with a good token, when there are any. */
  single: Load;
};

/** Starts the backend, signs the tokens and writes the load of a scenario; all go away with the stack. */
export async function openStage(
  scenario: Scenario,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<Stage> {
  const { load, name } = scenario;
  const { path: folder } = stack.use(await temporaryFolder(name));
  const backendFolder = join(folder, 'backend-nginx');
  await mkdir(backendFolder);
  const lot = load.tokens && (await makeTokens(load.tokens.count, folder));
  const [port, redisPort] = await freePorts(2);
  if (port === undefined || redisPort === undefined) throw new Error('Cannot find a free port');
  const backend = await startBackend(backendFolder, port, signal);
  stack.use(backend.child);
  if (scenario.redis) stack.use((await startBenchRedis(folder, redisPort, signal)).child);
  return {
    scenario,
    folder,
    backend,
    send: await prepareLoad(load, lot, folder),
    lot,
    redisPort: scenario.redis ? redisPort : undefined,
    single: withToken(load, lot?.spare),
  };
}

/** The load with one token on every request, or with none. */
export function withToken(load: Load, token: string | undefined): Load {
  if (token === undefined) return load;
  return { ...load, headers: { ...load.headers, authorization: `Bearer ${token}` } };
}
