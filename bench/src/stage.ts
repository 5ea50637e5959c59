import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Backend, startBackend } from './backend.ts';
import { temporaryFolder } from './folder.ts';
import { freePorts } from './ports.ts';
import type { Scenario } from './scenario.ts';
import { prepareLoad, type SendLoad } from './wrk.ts';

/** What the entrants of a scenario share. */
export type Stage = { scenario: Scenario; folder: string; backend: Backend; send: SendLoad };

/** Starts the backend and writes the load of a scenario; both go away with the stack. */
export async function openStage(
  scenario: Scenario,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<Stage> {
  const { path: folder } = stack.use(await temporaryFolder(scenario.name));
  const backendFolder = join(folder, 'backend-nginx');
  await mkdir(backendFolder);
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error('Cannot find a free port');
  const backend = await startBackend(backendFolder, port, signal);
  stack.use(backend.child);
  return { scenario, folder, backend, send: await prepareLoad(scenario.load, folder) };
}
