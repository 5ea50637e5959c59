import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { end, type ProcessId, processOf, runs } from './processes.ts';

/**
 * Folder with all that one run has: data, logs, the id of every process. It suffices to end what a
 * run left behind that ended without cleaning up.
 */
export type RunDirectory = { path: string };

const hiddenPrefix = '.new-';

/** Folder of all runs of this user; sockets are in it, so its path is short. */
export function runsFolder(): string {
  return join(tmpdir(), `gatehouse-runs-${userInfo().uid}`);
}

/**
 * Makes a run directory of this name, or one of many whose names begin with it.
 * @throws Error with code ENOTEMPTY when the one is there
 */
export async function createRunDirectory(
  name: string,
  { unique }: { unique: boolean },
): Promise<RunDirectory> {
  await mkdir(runsFolder(), { recursive: true, mode: 0o700 });
  const made = await mkdtemp(join(runsFolder(), hiddenPrefix));
  await writeFile(join(made, 'owner'), JSON.stringify(await processOf(process.pid)));
  await mkdir(join(made, 'processes'));
  await mkdir(join(made, 'logs'));
  // Whoever looks for leftovers sees it only now that its owner is known.
  const suffix = unique
    ? `-${made.slice(made.lastIndexOf(hiddenPrefix) + hiddenPrefix.length)}`
    : '';
  const path = join(runsFolder(), `${name}${suffix}`);
  try {
    await rename(made, path);
  } catch (error) {
    await rm(made, { recursive: true });
    throw error;
  }
  return { path };
}

/** Makes this process the one that has to end the run. */
export async function own({ path }: RunDirectory): Promise<void> {
  const made = join(path, `owner-${process.pid}`);
  await writeFile(made, JSON.stringify(await processOf(process.pid)));
  await rename(made, join(path, 'owner'));
}

/** The run directories that there are. */
export async function runDirectories(): Promise<RunDirectory[]> {
  const names = await readFolder(runsFolder());
  return names
    .filter((name) => !name.startsWith(hiddenPrefix))
    .map((name) => ({ path: join(runsFolder(), name) }));
}

/** The process that has to end the run, when it still runs. */
export async function ownerOf({ path }: RunDirectory): Promise<ProcessId | undefined> {
  const owner = await readProcess(join(path, 'owner'));
  return owner !== undefined && (await runs(owner)) ? owner : undefined;
}

/** Lets a run go on when its owner ends: someone will end it by hand, or use it again. */
export async function keep({ path }: RunDirectory): Promise<void> {
  await writeFile(join(path, 'kept'), '');
}

export async function isKept({ path }: RunDirectory): Promise<boolean> {
  return (await readFolder(path)).includes('kept');
}

export type Started = ProcessId & { log: string; ended(): string | undefined };

/** Starts a program that runs in the background and outlives this process; its output goes to a log. */
export async function start(
  { path }: RunDirectory,
  program: string,
  args: readonly string[],
  { name, environment = {} }: { name: string; environment?: Record<string, string> },
): Promise<Started> {
  const log = join(path, 'logs', `${name}.log`);
  const output = await open(log, 'a', 0o600);
  try {
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
      env: { ...process.env, ...environment },
    });
    await once(child, 'spawn');
    const id = child.pid === undefined ? undefined : await processOf(child.pid);
    if (id === undefined) throw new Error(`Cannot start "${name}": it ended at once; see ${log}`);
    child.unref();
    const order = String((await readdir(join(path, 'processes'))).length).padStart(3, '0');
    await writeFile(join(path, 'processes', `${order}-${name}`), JSON.stringify(id));
    return {
      ...id,
      log,
      ended: () => (child.exitCode ?? child.signalCode)?.toString(),
    };
  } finally {
    await output.close();
  }
}

/** Ends the processes of a run, the last one first and none gently: nothing of theirs is kept. */
export async function stopProcesses({ path }: RunDirectory): Promise<void> {
  for (const file of await processFiles(path)) {
    const id = await readProcess(file);
    if (id !== undefined) await end(id);
    await rm(file);
  }
}

/** Whether every process that was started in the directory still runs. */
export async function allRun({ path }: RunDirectory): Promise<boolean> {
  const ids = await Promise.all((await processFiles(path)).map(readProcess));
  const running = await Promise.all(ids.map((id) => id !== undefined && runs(id)));
  return running.length > 0 && running.every(Boolean);
}

async function processFiles(path: string): Promise<string[]> {
  const folder = join(path, 'processes');
  const names = await readFolder(folder);
  return names
    .sort()
    .reverse()
    .map((name) => join(folder, name));
}

async function readFolder(path: string): Promise<string[]> {
  return readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}

async function readProcess(file: string): Promise<ProcessId | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  // Empty when its writer was ended in between.
  return text ? (JSON.parse(text) as ProcessId) : undefined;
}
