import { readFile, writeFile } from 'node:fs/promises';
import { type Answer, callOnce } from './call.ts';
import type { Target } from './target.ts';

/** So many answers in a row must be new; each comes over a new connection, to whichever data plane. */
const streak = 20;
/** Milliseconds until it is given up. */
const timeout = 5000;

export type Edit = {
  file: string;
  change(text: string): string;
  request: string;
  /** Whether an answer was made by the changed Route. */
  isNew(answer: Answer): boolean;
};

/** Changes a file and returns after how many milliseconds every answer is made by the change. */
export async function editLive(target: Target, edit: Edit): Promise<number> {
  const text = await readFile(edit.file, 'utf8');
  const start = performance.now();
  await writeFile(edit.file, edit.change(text));
  let since: number | undefined;
  for (let inRow = 0; inRow < streak; ) {
    const sent = performance.now() - start;
    if (sent > timeout) throw new Error(`the change is not live after ${timeout} ms`);
    const answer = await callOnce(target, { request: edit.request });
    if (edit.isNew(answer)) {
      since ??= performance.now() - start;
      inRow++;
    } else {
      since = undefined;
      inRow = 0;
    }
  }
  return since ?? 0;
}

export function median(numbers: number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}
