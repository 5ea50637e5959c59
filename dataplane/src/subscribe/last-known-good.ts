import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ResourceSet } from '@gatehouse/snapshot';
import type { Logger } from 'pino';
import type { Held } from './lanes.ts';
import { bodyOf, decode, headBytes, headOf } from './last-known-good-file.ts';

export interface LastKnownGoodState {
  /** Why the last save or load failed; undefined after a good one. */
  lastError: string | undefined;
  /** Files written since the start. */
  saves: number;
  /** Saves that failed since the start. */
  failures: number;
}

export interface LastKnownGood {
  /** What was in use before; undefined, with the reason in the log, when there is no sound file. */
  load(): Promise<Held | undefined>;
  /**
   * Writes what is in use now, at once after a quiet second. Many calls in a second become one write of
   * the newest. Resolves when this or a newer state
   * is on disk, or could not be written (see `state`). Never rejects.
   */
  save(config: ResourceSet, endpoints: ResourceSet, replicas?: number): Promise<void>;
  state(): LastKnownGoodState;
  /** Writes what still waits and stops. */
  close(): Promise<void>;
}

export interface LastKnownGoodOptions {
  log?: Pick<Logger, 'info' | 'warn'> | undefined;
  /** Least time between two writes, in milliseconds: each costs a sync of the disk. */
  interval?: number;
}

/** The file that a data plane starts from when no controller answers. */
export function openLastKnownGood(file: string, options: LastKnownGoodOptions = {}): LastKnownGood {
  const { log, interval = 1000 } = options;
  const state: LastKnownGoodState = { lastError: undefined, saves: 0, failures: 0 };
  let waiting: Held | undefined;
  let running: Promise<void> | undefined;
  let hurry: (() => void) | undefined;
  let lastWrite = Number.NEGATIVE_INFINITY;
  let closed = false;

  async function keep(held: Held): Promise<void> {
    lastWrite = performance.now();
    try {
      await replace(file, held);
      state.saves++;
      if (state.lastError !== undefined)
        log?.info({ file }, 'Saved the last known good config again');
      state.lastError = undefined;
    } catch (error) {
      const reason = `Cannot save the last known good config "${file}": ${textOf(error)}`;
      state.failures++;
      if (reason !== state.lastError) log?.warn({ file }, `${reason}. Serving goes on`);
      state.lastError = reason;
    }
  }

  async function drain(): Promise<void> {
    while (waiting !== undefined) {
      const left = lastWrite + interval - performance.now();
      if (left > 0 && !closed) await quiet(left);
      const held = waiting;
      waiting = undefined;
      await keep(held);
    }
    running = undefined;
  }

  function quiet(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      timer.unref();
      hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  return {
    async load() {
      try {
        return decode(await readFile(file));
      } catch (error) {
        if (codeOf(error) === 'ENOENT') {
          log?.info({ file }, 'No last known good config');
          return undefined;
        }
        state.lastError = `Cannot use the last known good config "${file}": ${textOf(error)}`;
        log?.warn({ file }, state.lastError);
        return undefined;
      }
    },
    save(config, endpoints, replicas = 0) {
      waiting = { config, endpoints, replicas };
      running ??= drain();
      return running;
    },
    state: () => ({ ...state }),
    async close() {
      closed = true;
      hurry?.();
      await running;
    },
  };
}

/** Old or new, never half: write beside, sync, rename, sync the folder. */
async function replace(file: string, held: Held): Promise<void> {
  const temporary = `${file}.tmp`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    await write(temporary, held);
    await rename(temporary, file);
  } catch (error) {
    // Frees the space again; should that fail too, the first reason is the one to report.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await using folder = await open(dirname(file), 'r');
  await folder.sync();
}

/** Piece by piece, so that requests can be served in between; the checksum comes last. */
async function write(file: string, held: Held): Promise<void> {
  await using handle = await open(file, 'w', 0o600);
  // Secrets are in it; a file left behind by others may have been readable by all.
  if ((await handle.stat()).isFile()) await handle.chmod(0o600);
  const checksum = createHash('sha256');
  let position = headBytes;
  for (const piece of bodyOf(held)) {
    checksum.update(piece);
    await handle.write(piece, 0, piece.byteLength, position);
    position += piece.byteLength;
  }
  await handle.write(headOf(checksum.digest()), 0, headBytes, 0);
  await handle.sync();
}

function textOf(error: unknown): string {
  return codeOf(error) === 'ENOSPC'
    ? 'the disk is full'
    : error instanceof Error
      ? error.message
      : String(error);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
