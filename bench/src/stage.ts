import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Backend, startBackend } from './backend.ts';
import { createCertificate } from './certificate.ts';
import { startEcho } from './echo.ts';
import { temporaryFolder } from './folder.ts';
import { prepareLoad, type SendLoad } from './load.ts';
import type { Wire } from './peer.ts';
import { freePorts } from './ports.ts';
import { startBenchRedis } from './redis.ts';
import type { Load, Scenario } from './scenario.ts';
import { makeTokens, type TokenLot } from './tokens.ts';

/** What the entrants of a scenario share. */
export type Stage = {
  scenario: Scenario;
  folder: string;
  backend: Backend;
  wire: Wire;
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
  const { load, name, service = { kind: 'json' } } = scenario;
  const { path: folder } = stack.use(await temporaryFolder(name));
  const backendFolder = join(folder, 'backend-nginx');
  await mkdir(backendFolder);
  const lot = load.tokens && (await makeTokens(load.tokens.count, folder));
  const [redisPort] = await freePorts(1);
  if (redisPort === undefined) throw new Error('Cannot find a free port');
  const echo = service.kind === 'echo' ? await startEcho(load, signal) : undefined;
  const backend = echo?.backend ?? (await startBackend(service, load, backendFolder, signal));
  stack.use(backend.child);
  if (scenario.redis) stack.use((await startBenchRedis(folder, redisPort, signal)).child);
  return {
    scenario,
    folder,
    backend,
    wire: {
      downstream: load.downstream ?? 'http1',
      upstream: service.kind === 'grpc' ? 'http2' : 'http1',
      ...(load.downstream === 'tls' && { certificate: await createCertificate(folder) }),
    },
    send: echo?.send ?? (await prepareLoad(load, lot, folder, backend.answer)),
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
