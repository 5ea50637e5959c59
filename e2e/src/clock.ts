import { run } from '../cluster/execute.ts';

/**
 * Environment of a program whose wall clock is so many hours off (libfaketime), while its monotonic
 * clock, by which it waits, goes on as it does.
 * @throws Error when libfaketime is missing; e2e/cluster/install brings it
 */
export async function clockOff(hours: number): Promise<Record<string, string>> {
  const library = await run('faketime', ['-f', '+0', 'printenv', 'LD_PRELOAD']);
  return {
    LD_PRELOAD: library.trim(),
    FAKETIME: `${hours < 0 ? '' : '+'}${hours}h`,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
}
