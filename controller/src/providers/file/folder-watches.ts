import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { codeOf, type Listing } from './listing.ts';

/** Watches on a folder and those in it. What they miss (and they do miss) is found by polling. */
export type FolderWatches = {
  /** Watches exactly these folders; true when one of them is new. */
  follow(folders: Listing['folders']): boolean;
  close(): void;
};

type Watched = { identity: string; watcher: FSWatcher };

export function folderWatches(
  root: string,
  onEvent: () => void,
  log: (line: string) => void,
): FolderWatches {
  const watched = new Map<string, Watched>();
  let refused = false;

  function drop(folder: string): void {
    watched.get(folder)?.watcher.close();
    watched.delete(folder);
  }

  function add(folder: string, identity: string): boolean {
    try {
      const watcher = watch(join(root, folder), { persistent: false }, onEvent);
      watched.set(folder, { identity, watcher });
      watcher.on('error', () => {
        drop(folder);
        onEvent();
      });
      return true;
    } catch (error) {
      // ENOENT: gone since it was listed. Otherwise the system has no watches left.
      if (codeOf(error) !== 'ENOENT' && !refused) {
        refused = true;
        log(`Cannot watch "${join(root, folder)}" (${codeOf(error)}): changes show within seconds`);
      }
      return false;
    }
  }

  return {
    follow(folders) {
      let added = false;
      const wanted = new Map(folders.map(({ folder, identity }) => [folder, identity]));
      for (const [folder, { identity }] of watched) {
        if (wanted.get(folder) !== identity) drop(folder);
      }
      for (const [folder, identity] of wanted) {
        if (!watched.has(folder) && add(folder, identity)) added = true;
      }
      return added;
    },
    close() {
      for (const folder of [...watched.keys()]) drop(folder);
    },
  };
}
