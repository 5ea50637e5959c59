import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Chunks, readChunks } from './chunks.ts';
import type { FileDocument } from './documents.ts';
import { codeOf, type ListedFile } from './listing.ts';
import { type FileProblem, reasonOf, wholeFile } from './problem.ts';

/** What was read from a file, kept until the file changes. */
export type Source = {
  file: string;
  stamp: string;
  /** False while the file changed so recently that its stamp may not show the next change. */
  settled: boolean;
  digest: string;
  documents: FileDocument[];
  chunks: Chunks;
  /** Why the file as a whole could not be read. */
  problem?: FileProblem;
};

/** Bytes; larger files are refused. */
export const largestFile = 4 * 1024 * 1024;
/** Time stamps of file systems tick every few milliseconds; writers may take a moment, too. */
export const settleMs = 100;

/**
 * Reads a file, or returns the previous reading when nothing changed. Undefined when the file is gone.
 * A file that was just emptied is an editor half-way through: its previous reading stays for a moment.
 */
export async function readSource(
  root: string,
  listed: ListedFile,
  previous: Source | undefined,
): Promise<Source | undefined> {
  const { file, size, stamp, changedAtMs } = listed;
  if (previous?.settled && previous.stamp === stamp) return previous;
  const settled = Math.abs(Date.now() - changedAtMs) > settleMs;
  if (previous && size === 0 && !settled) return { ...previous, settled };
  const unread = { file, stamp, settled, digest: '', documents: [], chunks: new Map() };
  if (size > largestFile) return { ...unread, problem: tooLarge(file) };
  let bytes: Buffer;
  try {
    bytes = await readFile(join(root, file));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    return { ...unread, problem: wholeFile(file, `Cannot read it: ${reasonOf(error)}`) };
  }
  if (bytes.length > largestFile) return { ...unread, problem: tooLarge(file) };
  const digest = hash('sha256', bytes);
  if (previous?.digest === digest) return { ...previous, stamp, settled };
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { ...unread, problem: wholeFile(file, 'Cannot read it: it is not UTF-8 text') };
  }
  return { file, stamp, settled, digest, ...readChunks(file, text, previous?.chunks) };
}

function tooLarge(file: string): FileProblem {
  return wholeFile(
    file,
    `Cannot read it: it is larger than ${largestFile / 1024 / 1024} MiB; split it`,
  );
}
