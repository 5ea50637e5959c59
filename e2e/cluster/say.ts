/** Prints what is begun and, when it is done, how long it took. */
export async function say<T>(what: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  process.stderr.write(`e2e: ${what} ...\n`);
  const result = await work();
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  process.stderr.write(`e2e: ${what}: ${seconds} s\n`);
  return result;
}
