import type { Progress } from '../../providers/kubernetes/index.ts';

/** Versions of a lane that are remembered: data planes are seldom further behind. */
const remembered = 64;

/** How far the cluster had been followed when each version of a lane was compiled. */
export interface History {
  /** The version follows from all that was seen up to here; of several times the last counts. */
  note(version: string, progress: Progress): void;
  /** Undefined for a version that is not remembered. */
  of(version: string): Progress | undefined;
}

export function createHistory(): History {
  const known = new Map<string, Progress>();
  return {
    note(version, progress) {
      known.delete(version);
      known.set(version, progress);
      for (const oldest of known.keys()) {
        if (known.size <= remembered) break;
        known.delete(oldest);
      }
    },
    of: (version) => known.get(version),
  };
}
