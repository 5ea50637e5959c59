/** A turn of the event loop. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * Does work in steps and lets requests in between: whenever steps took as long as `budget`, in
 * milliseconds, the event loop gets a turn.
 */
export async function inSlices<T>(steps: Iterator<void, T>, budget: number): Promise<T> {
  let begin = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() - begin < budget) continue;
    await turn();
    begin = performance.now();
  }
}
