import { setTimeout as pause } from 'node:timers/promises';
import { type Child, type ChildMessage, endingText } from './children.ts';

/** Pause before a data plane that has ended is started again, in milliseconds; doubles up to `most`. */
const pauses = { first: 100, most: 5000 };
/** A data plane that lived so long, in milliseconds, starts with the first pause again. */
const sound = 10_000;

export type Ready = Extract<ChildMessage, { type: 'ready' }> & { adminPort: number };

/**
 * Runs a data plane until `stopping` aborts. One that ends after it was ready is started again, on the
 * admin port that it had.
 * @param start starts the process with that admin port
 * @returns when it is ready for the first time; rejects when it ends before.
 */
export async function runDataPlane(
  node: string,
  adminPort: number,
  start: (adminPort: number) => Child,
  stopping: AbortSignal,
): Promise<Ready> {
  let child = start(adminPort);
  const listening = await child.message('listening');
  const ready = await child.message('ready');

  const again = async () => {
    let wait = pauses.first;
    let startedAt = performance.now();
    while (true) {
      const ending = await child.ended;
      if (stopping.aborted) return;
      if (performance.now() - startedAt > sound) wait = pauses.first;
      process.stderr.write(
        `Data plane ${node} has ended (${endingText(ending)}): starting it again\n`,
      );
      await pause(wait);
      if (stopping.aborted) return;
      wait = Math.min(wait * 2, pauses.most);
      startedAt = performance.now();
      child = start(listening.adminPort);
    }
  };
  void again();
  return { ...ready, adminPort: listening.adminPort };
}
