import { execFile } from 'node:child_process';

export type Output = { code: number; stdout: string; stderr: string };

export type ExecuteOptions = { cwd?: string; signal?: AbortSignal };

/** Runs a program to its end. Rejects when it cannot be started or the signal aborts; an exit code is an answer. */
export function execute(
  program: string,
  args: readonly string[],
  options: ExecuteOptions = {},
): Promise<Output> {
  return new Promise((resolve, reject) => {
    const { signal, cwd } = options;
    const settings = {
      maxBuffer: 16 * 1024 * 1024,
      ...(signal && { signal }),
      ...(cwd && { cwd }),
    };
    execFile(program, [...args], settings, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr });
      else reject(error);
    });
  });
}

/** The version that a program prints, or undefined when it is not installed. `pattern` has one group. */
export async function findVersion(
  program: string,
  args: readonly string[],
  pattern: RegExp,
): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await execute(program, args);
    return pattern.exec(stdout + stderr)?.[1] ?? 'unknown';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
