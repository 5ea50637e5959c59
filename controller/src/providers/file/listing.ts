import { readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { isForeignFile } from './foreign.ts';
import { type FileProblem, reasonOf, wholeFile } from './problem.ts';

/** A file as the file system describes it. */
export type ListedFile = { file: string; size: number; stamp: string; changedAtMs: number };

export type Listing = {
  /** In file order: by path, in code units. */
  files: ListedFile[];
  /** Folders, relative, with what tells a replaced one apart; "." comes first. */
  folders: { folder: string; identity: string }[];
  /** Files and folders that could not be looked at. */
  problems: FileProblem[];
};

const objectFile = /\.(ya?ml|json)$/i;

/**
 * Lists the files that may hold objects, through symbolic links, without dotfiles and node_modules.
 * @throws Error when the folder itself cannot be read.
 */
export function listFolder(root: string): Listing {
  const listing: Listing = { files: [], folders: [], problems: [] };
  const visited = new Set<string>();

  function enter(folder: string, stats: Stats): void {
    const identity = `${stats.dev}:${stats.ino}`;
    if (visited.has(identity)) return;
    visited.add(identity);
    const names = readdirSync(join(root, folder)).sort();
    listing.folders.push({ folder, identity });
    for (const name of names) {
      if (name.startsWith('.') || name === 'node_modules') continue;
      look(folder === '.' ? name : `${folder}/${name}`);
    }
  }

  function look(path: string): void {
    try {
      const stats = statSync(join(root, path), { throwIfNoEntry: false });
      if (stats?.isDirectory()) enter(path, stats);
      else if (stats?.isFile() && objectFile.test(path) && !isForeignFile(path)) {
        listing.files.push(listed(path, stats));
      }
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return;
      listing.problems.push(wholeFile(path, `Cannot read it: ${reasonOf(error)}`));
    }
  }

  const stats = statSync(root);
  if (!stats.isDirectory()) throw new Error('it is not a folder');
  enter('.', stats);
  listing.files.sort((a, b) => (a.file < b.file ? -1 : 1));
  return listing;
}

function listed(file: string, stats: Stats): ListedFile {
  const { dev, ino, size, mtimeMs, ctimeMs } = stats;
  return { file, size, stamp: `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`, changedAtMs: ctimeMs };
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
