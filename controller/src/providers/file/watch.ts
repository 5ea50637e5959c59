import type { Store } from '../../store/store.ts';
import { folderWatches } from './folder-watches.ts';
import { type FileProblem, printProblem } from './problem.ts';
import { nothingRead, type Reading, readFolder } from './reading.ts';
import { changesBetween } from './settle.ts';
import { settleMs } from './source.ts';

export type FolderOptions = {
  folder: string;
  store: Store;
  /** Gets all mistakes of the folder each time that they change; an empty list when all is well again. */
  onProblems: (problems: FileProblem[]) => void;
  log?: (line: string) => void;
};

export type FolderWatch = {
  /** Reads what changed right now and returns the mistakes of the folder. */
  reload(): Promise<FileProblem[]>;
  close(): Promise<void>;
};

/** Wait for the rest of a save (editors write, rename and chmod) before reading. */
const debounceMs = 25;
/** Watches miss changes (network mounts, replaced folders), so the folder is listed regularly, too. */
const pollMs = 1000;
/** A folder so large that listing takes long is polled less often: at most 2 % of the time. */
const pollShare = 50;

/**
 * Keeps the store equal to a folder of YAML and JSON files until closed. Resolves after the first load.
 * Mistakes never stop it: good objects load, broken ones keep their last good version.
 */
export async function watchFolder(options: FolderOptions): Promise<FolderWatch> {
  const { folder, store, onProblems, log = () => {} } = options;
  const watches = folderWatches(folder, () => wake(debounceMs), log);
  let reading: Reading = nothingRead;
  let shown = '';
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let dueAt = Number.POSITIVE_INFINITY;
  let closed = false;

  /** Reads again after `ms`, or sooner when that is planned already. */
  function wake(ms: number): void {
    const at = performance.now() + ms;
    if (closed || at >= dueAt) return;
    clearTimeout(timer);
    dueAt = at;
    timer = setTimeout(() => void read(), ms);
  }

  /** One reading at a time: whoever asks while one runs gets the one after it. */
  function read(): Promise<void> {
    const next = (running ?? Promise.resolve()).then(readOnce);
    running = next;
    return next;
  }

  async function readOnce(): Promise<void> {
    if (closed) return;
    clearTimeout(timer);
    dueAt = Number.POSITIVE_INFINITY;
    const started = performance.now();
    let next = await readFolder(folder, reading);
    // What changed between listing a folder and watching it would go unnoticed.
    while (watches.follow(next.folders)) next = await readFolder(folder, next);
    if (closed) return;
    const before = reading;
    reading = next;
    store.apply(changesBetween(before.held, next.held));
    show(next.problems);
    const unsettled = [...next.sources.values()].some(({ settled }) => !settled);
    const rest = Math.max(pollMs, (performance.now() - started) * pollShare);
    wake(unsettled ? settleMs : rest);
  }

  function show(problems: FileProblem[]): void {
    const text = problems.map(printProblem).join('\n');
    if (text === shown) return;
    shown = text;
    onProblems(problems);
  }

  await read();
  return {
    async reload() {
      await read();
      return reading.problems;
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      watches.close();
      await running;
    },
  };
}
