import { type Listing, listFolder } from './listing.ts';
import { type FileProblem, reasonOf, wholeFile } from './problem.ts';
import { type Held, settle } from './settle.ts';
import { readSource, type Source } from './source.ts';

/** The state of a folder after it was read. */
export type Reading = {
  held: Held;
  /** By file, in file order. */
  sources: ReadonlyMap<string, Source>;
  problems: FileProblem[];
  /** Folders that were seen; none when the folder itself is gone. */
  folders: Listing['folders'];
};

export const nothingRead: Reading = {
  held: new Map(),
  sources: new Map(),
  problems: [],
  folders: [],
};

/** Reads what changed since the last reading. A folder that is gone changes nothing but the problems. */
export async function readFolder(root: string, last: Reading): Promise<Reading> {
  let listing: Listing;
  try {
    listing = listFolder(root);
  } catch (error) {
    return { ...last, folders: [], problems: [goneFolder(root, error, last.held.size > 0)] };
  }
  const sources = new Map<string, Source>();
  for (const file of listing.files) {
    const source = await readSource(root, file, last.sources.get(file.file));
    if (source) sources.set(file.file, source);
  }
  const { held, problems } = settle(last.held, [...sources.values()], (file) =>
    listing.problems.some((problem) => isWithin(file, problem.file)),
  );
  return {
    held,
    sources,
    problems: [...listing.problems, ...problems],
    folders: listing.folders,
  };
}

function isWithin(file: string, place: string): boolean {
  return file === place || file.startsWith(`${place}/`);
}

function goneFolder(root: string, error: unknown, held: boolean): FileProblem {
  const rest = held ? '; what was last read stays in use until it is back' : '';
  return wholeFile('.', `Cannot read folder "${root}": ${reasonOf(error)}${rest}`);
}
